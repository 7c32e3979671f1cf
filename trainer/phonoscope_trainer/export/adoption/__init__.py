"""Networks from elsewhere as bundles of one listener."""

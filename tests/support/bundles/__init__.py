"""Bundles to read, to alter and to ask."""

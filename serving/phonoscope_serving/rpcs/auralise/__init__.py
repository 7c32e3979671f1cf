"""`Auralise`: what features hear."""

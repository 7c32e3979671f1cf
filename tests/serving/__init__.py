"""A package, so that fixtures end with it."""

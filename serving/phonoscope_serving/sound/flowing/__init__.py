"""Sound that comes in chunks, of any length: decoded, heard and forgotten."""

"""A real Triton server."""

"""The parts of `make soak`: each puts the real service under load, does something to it, and says what callers saw."""

"""A real Triton server for tests and benchmarks, from a package of PyPI: no Docker, no GPU."""

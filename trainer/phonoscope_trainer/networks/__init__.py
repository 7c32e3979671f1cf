"""Architectures, and nothing else."""

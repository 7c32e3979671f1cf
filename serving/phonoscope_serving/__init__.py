"""Phonoscope's serving program: reads a model repository, speaks gRPC."""

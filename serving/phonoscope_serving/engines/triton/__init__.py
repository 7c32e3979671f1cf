"""The engine that asks an NVIDIA Triton server."""

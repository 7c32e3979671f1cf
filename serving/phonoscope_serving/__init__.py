"""Phonoscope's serving program: reads a model repository, speaks gRPC."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime looks as it is imported, and reports to its makers otherwise

"""Trains Phonoscope's networks, reproduces the papers and exports the model repository."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime looks as it is imported, and reports to its makers otherwise

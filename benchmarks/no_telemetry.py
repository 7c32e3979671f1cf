"""Imported before ONNX Runtime, which looks as it is imported, and reports to its makers otherwise."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

"""The embedded engine: ONNX Runtime inside the service."""

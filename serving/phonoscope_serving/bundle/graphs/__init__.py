"""A bundle's graphs as ONNX, as far as the service looks into them."""

"""ONNX graphs as torch networks: what somebody exported can be differentiated again, and learnt from."""

"""Phonoscope's serving program: reads a model repository, speaks gRPC."""

import os

# Both look as they are imported. ONNX Runtime reports to its makers otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# gRPC would write what callers do wrong to stderr, from the threads that serve them, which a full pipe then stops.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

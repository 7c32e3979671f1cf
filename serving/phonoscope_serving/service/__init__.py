"""The gRPC server and all that surrounds a call."""

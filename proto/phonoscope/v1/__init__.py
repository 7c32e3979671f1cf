"""The gRPC contract between Phonoscope and its callers: generated stubs."""

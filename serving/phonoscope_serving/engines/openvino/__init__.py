"""The embedded engine on OpenVINO: float32, or bfloat16 where the processor multiplies in it."""

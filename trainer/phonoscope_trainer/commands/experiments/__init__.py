"""`phonoscope-train experiment …`."""

"""`Maximise`: what units want to hear."""

"""`phonoscope batch`."""

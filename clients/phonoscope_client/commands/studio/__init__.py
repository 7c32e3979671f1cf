"""`phonoscope studio`."""

"""`phonoscope batch` and `phonoscope summarise`."""

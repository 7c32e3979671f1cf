"""`phonoscope track`."""

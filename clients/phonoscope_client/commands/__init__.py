"""The commands of `phonoscope`."""

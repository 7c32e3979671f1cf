"""Trains Phonoscope's networks, reproduces the papers and exports the model repository."""

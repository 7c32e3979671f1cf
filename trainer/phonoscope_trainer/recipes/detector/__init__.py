"""How the detector is trained."""

"""How the masker is trained."""

"""How well singing is found."""

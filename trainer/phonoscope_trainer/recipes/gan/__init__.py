"""How the generator is trained (2019)."""

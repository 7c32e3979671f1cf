"""How the eight feature inverters are trained (ISMIR 2018)."""

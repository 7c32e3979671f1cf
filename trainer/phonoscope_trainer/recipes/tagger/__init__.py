"""How the genre tagger is trained (Choi et al. 2016)."""

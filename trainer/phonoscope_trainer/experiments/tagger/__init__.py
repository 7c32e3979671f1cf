"""How well genres are told apart (Choi et al. 2016)."""

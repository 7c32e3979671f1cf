"""What features hear (Choi et al. 2015, 2016)."""

"""What experiments and training measure."""

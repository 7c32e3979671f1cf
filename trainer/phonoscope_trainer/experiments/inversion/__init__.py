"""What each layer keeps (ISMIR 2018)."""

"""What units want to hear (2019)."""

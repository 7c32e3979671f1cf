"""What the page may ask for, address by address."""

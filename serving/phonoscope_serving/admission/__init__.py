"""What is taken on, when it is its turn, and what is refused before it costs anything."""

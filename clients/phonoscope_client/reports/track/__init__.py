"""A whole track as one HTML file: what it draws, what it plays, and the page itself."""

"""Calls on their way in: whose they are, and what is taken of what they send."""

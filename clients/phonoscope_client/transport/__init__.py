"""Channels, calls, and a service of one's own."""

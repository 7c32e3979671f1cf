"""Requests into protocol buffers, and protocol buffers into results."""

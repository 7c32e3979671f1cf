"""Damaged sound and damaged messages, for `fuzz.py`."""

"""Adopted listeners, judged: against what they were adopted from, and their explanations by exchange."""

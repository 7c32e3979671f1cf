"""Whether explanations hold (EUSIPCO 2018)."""

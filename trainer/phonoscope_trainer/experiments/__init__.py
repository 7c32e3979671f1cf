"""The papers' experiments, one file each: numbers as JSON, figures where there are any."""

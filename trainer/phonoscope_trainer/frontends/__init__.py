"""From samples to what networks hear."""

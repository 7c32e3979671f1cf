"""From what a caller sent to the samples a graph takes."""

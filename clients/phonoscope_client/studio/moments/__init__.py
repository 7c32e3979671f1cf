"""What is asked about a moment of a song, or of a unit: why, what layers keep, what features hear, what they want."""

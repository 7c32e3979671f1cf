"""What a catalogue tells: its answers, how far they are to be trusted, and what to look at first."""

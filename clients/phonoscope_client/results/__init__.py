"""What a call answers with."""

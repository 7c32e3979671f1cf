"""Services to speak to."""

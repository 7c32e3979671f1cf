"""Music, real and made."""

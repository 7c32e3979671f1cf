"""Which moments of a track are explained."""

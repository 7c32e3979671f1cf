"""The masker of any listener, for whichever of its labels is asked about."""

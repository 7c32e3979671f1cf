"""`ExplainTrack`: a whole track, heard in one pass, with explanations along it."""

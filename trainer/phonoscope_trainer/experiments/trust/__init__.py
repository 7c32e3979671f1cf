"""How far explanations can be trusted: peers, true stems, sanity."""

"""Foreign sounds: what is no music, or no music as it was played, made from nothing or from music that is given."""

from __future__ import annotations

from phonoscope_trainer.corpora.foreign.kinds import KINDS, MUSICAL, foreign_sound, made_here

__all__ = ["KINDS", "MUSICAL", "foreign_sound", "made_here"]

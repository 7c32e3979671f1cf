"""Speech from synthesisers, in which nobody sings: what a detector of singing must not fall for."""

from __future__ import annotations

from phonoscope_trainer.corpora.speech.store import SPEECH

__all__ = ["SPEECH"]

"""Instruments, synthesiser voices, tones and sirens with any vibrato: what sways like a voice and is none."""

from __future__ import annotations

from phonoscope_trainer.corpora.played.store import PLAYED

__all__ = ["PLAYED"]

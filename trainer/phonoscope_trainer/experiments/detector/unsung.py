"""How much is called sung of what nobody sings and no corpus holds: speech, alone and over music, and sirens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phonoscope_trainer.experiments.detector import unsung_sounds
from phonoscope_trainer.experiments.detector.unsung_sounds import Samples
from phonoscope_trainer.measures.listeners import Listener
from phonoscope_trainer.measures.scores import smooth
from phonoscope_trainer.networks.label import is_vocal

PIECES = 6  # of music, under every speaker


def called_sung(listener: Listener, threshold: float, music: Sequence[Samples]) -> dict[str, float]:
    """Share of frames called sung by sound; speech over music where there is any, of which a few pieces are enough."""
    speech = unsung_sounds.speech()
    chosen = [music[at] for at in np.unique(np.linspace(0, len(music) - 1, PIECES).astype(int))] if music else []
    sounds = {name: [sound] for name, sound in (speech | unsung_sounds.sirens()).items()}
    if chosen:
        sounds["speech over music"] = list(unsung_sounds.over(list(speech.values()), chosen))
    return {
        name: float(np.concatenate([is_vocal(smooth(listener(sound)), threshold) for sound in each]).mean())
        for name, each in sounds.items()
    }

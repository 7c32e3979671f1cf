"""What the paper says of maximised and minimised examples, as numbers (2019, section 4.2).

Maximised examples should be more harmonic, have less energy below the voice, and fewer transients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.experiments.inversion.structure import combs, onset_envelope
from phonoscope_trainer.frontends.mel import FRONTEND, band_peaks_hz
from phonoscope_trainer.measures.bootstrap import interval_of_mean

Floats = NDArray[np.float64]
DECIBELS = 20 / np.log(10)  # in a unit of the natural logarithm of a magnitude
BASS_HZ = 120.0  # below the voice
HIGH_HZ = 4000.0  # above most of it


def measures(log_mel: Floats) -> dict[str, Floats]:
    """Of each excerpt of `log_mel` `[N, T, M]`, `[N]`, all in decibels.

    `bass_db`: mean level below 120 Hz over the excerpt's own mean level, and `high_db` likewise above 4 kHz;
    `harmonicity_db`: how high the best comb of harmonics stands over its gaps, mean over frames; `onsets_db`: by how
    much a band grows from one frame to the next, mean over frames and bands; `level_db`: the mean level itself.
    """
    decibels = DECIBELS * np.asarray(log_mel, np.float64)
    centres = band_peaks_hz(FRONTEND)[1:-1]
    level = decibels.mean(axis=(1, 2))
    return {
        "bass_db": decibels[:, :, centres < BASS_HZ].mean(axis=(1, 2)) - level,
        "high_db": decibels[:, :, centres > HIGH_HZ].mean(axis=(1, 2)) - level,
        "harmonicity_db": (decibels @ combs()).max(axis=2).mean(axis=1),
        "onsets_db": onset_envelope(decibels).mean(axis=1) / decibels.shape[2],
        "level_db": level,
    }


def compared(sets: Mapping[str, Floats], pairs: tuple[tuple[str, str], ...]) -> dict[str, dict[str, object]]:
    """Means of every measure for every set of `[N, T, M]` log-mels, and of the differences of those that are paired.

    Args:
        sets: name → log-mels; row i of two sets that are compared began at the same z.
        pairs: names of those sets.

    Returns:
        measure → set, or `ONE_minus_OTHER` → `mean`, and `low` and `high` of its bootstrap interval over rows.
    """
    found = {name: measures(log_mel) for name, log_mel in sets.items()}
    document: dict[str, dict[str, object]] = {}
    for measure in next(iter(found.values())):
        values = {name: each[measure] for name, each in found.items()}
        values |= {f"{one}_minus_{other}": values[one] - values[other] for one, other in pairs}
        document[measure] = {name: _summary(each) for name, each in values.items()}
    return document


def _summary(values: Floats) -> dict[str, float]:
    interval = interval_of_mean(values)
    return {"mean": float(values.mean()), "low": interval.low, "high": interval.high}

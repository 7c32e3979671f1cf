"""What an inversion keeps of an excerpt besides its level: onsets, harmonics, and which class it looks like.

The paper shows these in pictures (ISMIR 2018, section 4); here they are numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.frontends.mel import FRONTEND, band_peaks_hz
from phonoscope_trainer.measures.scores import auc

Floats = NDArray[np.float64]
PITCHES_HZ = np.geomspace(120, 800, 100)  # fundamentals whose harmonics the bands can tell apart
HIGHEST_HARMONIC_HZ = 2000.0  # above, bands are wider than the gaps between most harmonics
MIDDLE_HZ = 1000.0  # between low and high, for the class contrast


def onset_envelope(log_mel: Floats) -> Floats:
    """`[N, T - 1]` spectral flux of `log_mel` `[N, T, M]`: what grows from one frame to the next, over all bands."""
    return np.asarray(np.maximum(0, np.diff(log_mel, axis=1)).sum(axis=2))


def onset_correlation(log_mel: Floats, inverted: Floats) -> Floats:
    """`[N]` Pearson correlation of the onset envelopes of excerpts and inversions, both `[N, T, M]`; 0 where flat."""
    one, other = (onset_envelope(x) for x in (log_mel, inverted))
    one, other = (x - x.mean(axis=1, keepdims=True) for x in (one, other))
    scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.asarray((one * other).sum(axis=1) / np.maximum(scale, 1e-12))


def time_pattern(excerpts: Floats, inverted: Floats) -> Floats:
    """`[N]` how alike excerpts and inversions, both `[N, T, M]` standardised, change over time; 0 where nothing does.

    From both the mean over time is taken away, in each band of each excerpt; what is left of the two is correlated over
    all T·M bins at once: Σ d·d̂ / √(Σ d² · Σ d̂²). So bands in which more happens count for more, and neither the level
    nor the spectrum of an inversion helps it.
    """
    one, other = (x - x.mean(axis=1, keepdims=True) for x in (excerpts, inverted))
    scale = np.sqrt((one**2).sum(axis=(1, 2)) * (other**2).sum(axis=(1, 2)))
    return np.asarray((one * other).sum(axis=(1, 2)) / np.maximum(scale, 1e-12))


def combs() -> Floats:
    """`[M, P]` for every pitch, weights whose sum over bands is how high harmonics stand over the gaps between them.

    The heights of n harmonics are added and divided by √n, as noise grows: so a tone's own pitch wins over the pitch of
    its every third harmonic, which stand as high.
    """
    centres = band_peaks_hz(FRONTEND)[1:-1]
    weights = np.zeros((len(centres), len(PITCHES_HZ)))
    for column, pitch_hz in enumerate(PITCHES_HZ):
        harmonics = np.arange(1, int(HIGHEST_HARMONIC_HZ / pitch_hz) + 1) * pitch_hz
        for sign, places in ((1, harmonics), (-0.5, harmonics - pitch_hz / 2), (-0.5, harmonics + pitch_hz / 2)):
            for hz in places:
                upper = int(np.clip(np.searchsorted(centres, hz), 1, len(centres) - 1))
                share = np.clip((hz - centres[upper - 1]) / (centres[upper] - centres[upper - 1]), 0, 1)
                weights[upper - 1, column] += sign * (1 - share) / np.sqrt(len(harmonics))
                weights[upper, column] += sign * share / np.sqrt(len(harmonics))
    return weights


def harmonic_share(log_mel: Floats, inverted: Floats) -> float:
    """How much of the excerpts' harmonic relief is left: 1 all of it, 0 none.

    In every frame the excerpt's best comb is found; the share is that comb's height on the inversion over its height
    on the excerpt, both summed over the half of all frames with the strongest combs. Both arrays are `[N, T, M]`.
    """
    weights = combs()
    heights = (log_mel @ weights).reshape(-1, weights.shape[1])
    best = heights.argmax(axis=1)
    rows = np.arange(len(best))
    harmonic = heights[rows, best] >= np.median(heights[rows, best])
    kept = (inverted @ weights).reshape(-1, weights.shape[1])[rows, best]
    return float(kept[harmonic].sum() / heights[rows, best][harmonic].sum())


def class_contrast(standardised: Floats, sung: NDArray[np.bool_]) -> dict[str, object] | None:
    """Where in frequency sung and other excerpts differ: the paper's demarcation of the classes at FC8.

    Args:
        standardised: `[N, T, M]` excerpts or inversions.
        sung: `[N]` their class.

    Returns:
        Mean standardised log-energy of both classes below and above 1 kHz and in every band; and `auc`, the chance
        that a sung one has the larger excess of high over low energy. None where one class is absent.
    """
    high_bands = band_peaks_hz(FRONTEND)[1:-1] > MIDDLE_HZ
    spectra = standardised.mean(axis=1)
    low, high = spectra[:, ~high_bands].mean(axis=1), spectra[:, high_bands].mean(axis=1)
    area = auc(high - low, sung)
    if area is None:
        return None
    return {
        "vocal": {"low": float(low[sung].mean()), "high": float(high[sung].mean())},
        "non_vocal": {"low": float(low[~sung].mean()), "high": float(high[~sung].mean())},
        "vocal_minus_non_vocal_by_band": (spectra[sung].mean(axis=0) - spectra[~sung].mean(axis=0)).tolist(),
        "auc_of_high_over_low": area,
    }

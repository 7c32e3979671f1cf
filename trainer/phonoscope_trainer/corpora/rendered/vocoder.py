"""Analysis of speech with WORLD and its synthesis at another pitch and in other time.

Source: M. Morise, F. Yokomori and K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system for
real-time applications", IEICE Transactions E99-D (2016).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.rendered.speech import Syllable, Utterance

with warnings.catch_warnings():
    # It reads its own version with pkg_resources, which says on import that it is deprecated.
    warnings.simplefilter("ignore")
    import pyworld

Float = NDArray[np.float64]

FRAME_S = 0.006
LOWEST_HZ, HIGHEST_HZ = 60.0, 420.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """A line of speech: per frame its pitch, spectral envelope and aperiodicity.

    Attributes:
        f0: `[T]` Hz, 0 where unvoiced.
        log_envelope: `[T, K]` natural logarithm of the power envelope.
        aperiodicity: `[T, K]`, 0 (periodic) to 1 (noise).
        syllables: Times within the line.
        sample_rate_hz: Of the speech.
    """

    f0: Float
    log_envelope: Float
    aperiodicity: Float
    syllables: tuple[Syllable, ...]
    sample_rate_hz: int


def analyse(utterance: Utterance) -> Analysis:
    """WORLD analysis (DIO, StoneMask, CheapTrick, D4C); vowels count as voiced throughout."""
    samples, rate = utterance.samples, utterance.sample_rate_hz
    rough, times = pyworld.dio(samples, rate, f0_floor=LOWEST_HZ, f0_ceil=HIGHEST_HZ, frame_period=1000 * FRAME_S)
    f0 = pyworld.stonemask(samples, rough, times, rate)
    f0 = _voiced_in_vowels(f0, times, utterance.syllables)
    envelope = pyworld.cheaptrick(samples, f0, times, rate, f0_floor=LOWEST_HZ * 1.2)
    fft_size = 2 * (envelope.shape[1] - 1)
    aperiodicity = pyworld.d4c(samples, f0, times, rate, fft_size=fft_size)
    return Analysis(f0, np.log(envelope), aperiodicity, utterance.syllables, rate)


def _voiced_in_vowels(f0: Float, times: Float, syllables: tuple[Syllable, ...]) -> Float:
    """Fills the gaps that pitch tracking leaves within vowels."""
    voiced = np.flatnonzero(f0 > 0)
    if not voiced.size:
        return np.full_like(f0, 120.0)
    filled: Float = np.interp(times, times[voiced], f0[voiced])
    keep = f0 > 0
    for syllable in syllables:
        keep |= (times >= syllable.vowel_s + 0.01) & (times < syllable.coda_s - 0.01)
    return np.where(keep, filled, 0.0)


def warp_time(analysis: Analysis, source_s: Float) -> Analysis:
    """The line as it sounds when output frame `i` shows its time `source_s[i]` (`[T']`, seconds)."""
    position = np.clip(source_s / FRAME_S, 0, len(analysis.f0) - 1.001)
    before = position.astype(int)
    share = (position - before)[:, None]
    after = before + 1

    def blend(values: Float) -> Float:
        mixed: Float = (1 - share) * values[before] + share * values[after]
        return mixed

    nearest = np.where(share[:, 0] < 0.5, before, after)
    return Analysis(
        analysis.f0[nearest],
        blend(analysis.log_envelope),
        blend(analysis.aperiodicity),
        analysis.syllables,
        analysis.sample_rate_hz,
    )


def synthesise(analysis: Analysis, f0: Float) -> Float:
    """`[N]` samples of the line at pitch `f0` (`[T]` Hz, 0 where unvoiced)."""
    envelope = np.ascontiguousarray(np.exp(analysis.log_envelope))
    aperiodicity = np.ascontiguousarray(np.clip(analysis.aperiodicity, 0.001, 0.999))
    samples: Float = pyworld.synthesize(
        np.ascontiguousarray(f0), envelope, aperiodicity, analysis.sample_rate_hz, 1000 * FRAME_S
    )
    return samples

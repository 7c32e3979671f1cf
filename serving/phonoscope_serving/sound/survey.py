"""What a recording sounds like, from short stretches all over it: enough to warn, and to choose how it is mixed down.

Whoever asks for one moment of a recording and whoever asks for all of it is told the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from phonoscope_serving.sound.channels import Channels
from phonoscope_serving.sound.warning import SoundWarning, WarningKind
from phonoscope_serving.tensors import Floats

Doubles = NDArray[np.float64]

STRETCH_S = 0.3
EVERY_S = 2.0  # one stretch
MOST_STRETCHES = 16
WINDOW_S = 0.046  # of spectra; rounded to a power of two
KNOWN_RATES = 8  # whose windows and bands are kept; most sound comes in two or three

FULL_SCALE = 0.999
CLIPPED_SHARE = 1e-3  # of samples at full scale, with another beside them
LOUDEST = 4.0  # 12 dB above full scale: no mixing desk, no codec overshoots as far
LOWEST_EDGE_HZ, HIGHEST_EDGE_HZ = (
    2_000.0,
    6_000.0,
)  # a band that ends above has all that matters to the detector, whose last ends at 8 kHz
EDGE_DB = 35.0  # by which the level falls at the edge of a band that was cut; music falls by less
BEYOND_DB = 25.0  # by which all that lies beyond such an edge is softer; a hole in a spectrum is no edge
BEYOND_HZ = 300.0  # width of what is compared there
QUIET_DB = -120.0  # below which a spectrum is nothing
CANCELLED = -0.5  # correlation of two channels from which on most of a sound is lost in their sum
CANCELLED_SHARE = 0.04  # of the energy; real stereo songs have up to 0.01


@dataclass(frozen=True)
class Survey:
    """What stretches of a recording tell."""

    spectrum: Doubles  # `[bins]` mean power of all channels
    hz_a_bin: float
    peak: float
    least: float  # the smallest sample
    whole_numbers: bool  # whether every sample is one
    clipped_share: float
    cancelled_share: float  # of two channels' energy

    @property
    def cancels(self) -> bool:
        """Whether a sum of the channels loses some of what is heard."""
        return self.cancelled_share >= CANCELLED_SHARE


def survey(channels: Channels) -> Survey | None:
    """Listens to short stretches; None where there is no sound in them."""
    rate_hz = channels.sample_rate_hz
    window = 1 << round(np.log2(rate_hz * WINDOW_S))
    shape = _shape(window)
    bands = _bands(rate_hz / window, window // 2 + 1)
    spectrum, energy, cancelled = np.zeros(window // 2 + 1), 0.0, 0.0
    peak, least, whole_numbers, clipped, counted = 0.0, np.inf, True, 0, 0
    for stretch in _stretches(channels):
        magnitude = np.abs(stretch)
        peak, least = max(peak, float(magnitude.max())), min(least, float(stretch.min()))
        full = magnitude >= FULL_SCALE
        clipped += int(np.count_nonzero(full[:, 1:] & full[:, :-1]))
        counted += stretch.size
        whole_numbers = whole_numbers and bool((stretch == np.rint(stretch)).all())
        frames = stretch[:, : stretch.shape[1] // window * window].reshape(len(stretch), -1, window)
        spectra = np.fft.rfft(frames * shape, axis=2)
        power = (spectra.real**2 + spectra.imag**2).sum(axis=1)
        spectrum += power.mean(axis=0)
        if len(stretch) == 2:
            shared = (spectra[0] * spectra[1].conj()).real.sum(axis=0)
            both = np.add.reduceat(power.mean(axis=0), bands)
            cancelled += float(both[np.add.reduceat(shared, bands) < CANCELLED * both].sum())
            energy += float(both.sum())
    if peak == 0:
        return None
    return Survey(
        spectrum, rate_hz / window, peak, least, whole_numbers, clipped / counted, cancelled / energy if energy else 0.0
    )


def warned_of(heard: Survey, seconds: float) -> Iterator[SoundWarning]:
    """What is unusual in what a survey heard.

    Args:
        heard: the survey.
        seconds: how long the recording lasts.
    """

    def warning(kind: WarningKind, sentence: str) -> SoundWarning:
        return SoundWarning(kind, 0.0, seconds, sentence)

    if heard.whole_numbers and heard.peak > 1:
        yield warning(
            WarningKind.UNUSUAL_SCALE,
            "Samples are whole numbers: integers, never divided by full scale (32768 for 16 bits)?",
        )
    elif heard.least > 1:
        yield warning(
            WarningKind.UNUSUAL_SCALE, "Samples all lie above 1, not around 0: unsigned numbers, or no sound?"
        )
    elif heard.peak > LOUDEST:
        yield warning(
            WarningKind.UNUSUAL_SCALE, f"Samples reach {heard.peak:.3g}, far beyond full scale, 1: another scale?"
        )
    elif heard.clipped_share >= CLIPPED_SHARE:
        share = heard.clipped_share
        yield warning(WarningKind.CLIPPED, f"{share:.1%} of the samples are at full scale: peaks are cut off.")
    edge_hz = band_edge_hz(heard)
    if edge_hz is not None:
        yield warning(
            WarningKind.NARROW_BAND,
            f"Nothing sounds above {edge_hz / 1000:.1f} kHz: as from a telephone, or recorded at a low sample rate. "
            "The detector expects sound up to 8 kHz, and errs.",
        )
    if heard.cancels:
        yield warning(
            WarningKind.CANCELLING_CHANNELS,
            f"{heard.cancelled_share:.0%} of the sound is inverted between left and right and lost where they are "
            "summed; their difference is heard beside their sum.",
        )


def band_edge_hz(heard: Survey) -> float | None:
    """Where the band ends, if it was cut below `HIGHEST_EDGE_HZ`: the level falls there as it does in no music."""
    if not heard.spectrum.any():
        return None
    hz: Doubles = np.arange(len(heard.spectrum), dtype=np.float64) * heard.hz_a_bin
    if hz[-1] <= HIGHEST_EDGE_HZ:
        return float(hz[-1])
    level_db = 10 * np.log10(np.maximum(heard.spectrum / heard.spectrum.max(), 10 ** (QUIET_DB / 10)))
    edges_hz = np.arange(LOWEST_EDGE_HZ, HIGHEST_EDGE_HZ + 1, 100.0)
    below = _means(level_db, hz, edges_hz * 0.75, edges_hz * 0.97)
    above = _means(level_db, hz, edges_hz * 1.05, edges_hz * 1.5)
    falls_db = np.nan_to_num(below - above, nan=0.0)
    steepest = int(falls_db.argmax())
    from_hz = np.arange(edges_hz[steepest] * 1.1, hz[-1] - BEYOND_HZ, BEYOND_HZ)
    loudest_beyond = _means(level_db, hz, from_hz, from_hz + BEYOND_HZ).max(initial=QUIET_DB)
    is_edge = falls_db[steepest] > EDGE_DB and below[steepest] - loudest_beyond > BEYOND_DB
    return float(edges_hz[steepest]) if is_edge else None


def _means(level_db: Doubles, hz: Doubles, from_hz: NDArray[np.floating], to_hz: NDArray[np.floating]) -> Doubles:
    """Mean levels of bands; NaN for bands that hold no bin."""
    first, last = np.searchsorted(hz, from_hz), np.searchsorted(hz, to_hz)
    sums = np.concatenate([[0.0], np.cumsum(level_db)])
    return np.where(last > first, (sums[last] - sums[first]) / np.maximum(last - first, 1), np.nan)


def _stretches(channels: Channels) -> Iterator[Floats]:
    """Stretches `[C, N]`, evenly spread; all of a recording that is shorter than a few."""
    length = round(STRETCH_S * channels.sample_rate_hz)
    count = int(np.clip(channels.samples / channels.sample_rate_hz // EVERY_S, 2, MOST_STRETCHES))
    if channels.samples <= count * length:
        count, length = 1, channels.samples
    for number in range(count):
        start = (2 * number + 1) * (channels.samples - length) // (2 * count)
        pieces = list(channels.frames(start, start + length, roughly=True))
        if pieces:
            yield pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)


@lru_cache(KNOWN_RATES)
def _shape(window: int) -> Floats:
    """Of a window, by which what it holds is multiplied."""
    shape: Floats = np.hanning(window).astype(np.float32)
    return shape


@lru_cache(KNOWN_RATES)
def _bands(hz_a_bin: float, bins: int) -> NDArray[np.intp]:
    """First bins of bands of half an octave."""
    edges_hz = 100.0 * 2 ** (np.arange(13) / 2)
    first = np.unique(np.round(edges_hz / hz_a_bin).astype(np.intp))
    return np.concatenate([[0], first[(first > 0) & (first < bins)]])

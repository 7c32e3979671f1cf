"""From several channels to one: fold-down by ITU-R BS.775, and one that loses nothing where channels cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from phonoscope_serving.tensors import Floats

# ITU-R BS.775-3, table 2, folded down to one channel; the effects channel is left out as there.
_WEIGHTS = {"FL": 0.7071, "FR": 0.7071, "FC": 1.0, "LFE": 0.0, "BL": 0.5, "BR": 0.5, "SL": 0.5, "SR": 0.5, "BC": 0.5}
_SURROUND = frozenset({"FC", "BL", "BR", "SL", "SR", "BC"})
LOWEST_HZ = 80.0  # of voices: from here on the phase shift holds


def weights(speakers: Sequence[str]) -> Floats:
    """What each channel counts, `[C]`, in sum 1: all the same, but where channels surround the listener.

    Args:
        speakers: where each channel is heard, as `Channels.speakers`.
    """
    surround = len(speakers) > 2 and all(name in _WEIGHTS for name in speakers) and _SURROUND.intersection(speakers)
    counts = np.array([_WEIGHTS[name] if surround else 1.0 for name in speakers])
    return np.asarray(counts / counts.sum(), np.float32)


def folded(pieces: Iterator[Floats], counts: Floats) -> Iterator[Floats]:
    """The weighted sum of the channels of each piece, `[C, N]` to `[N]`."""
    for piece in pieces:
        yield piece[0] if len(piece) == 1 else counts @ piece


def in_quadrature(
    read: Callable[[int, int], Iterator[Floats]], start: int, stop: int, samples: int, sample_rate_hz: int
) -> Iterator[Floats]:
    """Two channels as mid plus side shifted by 90°: as loud as both together, whatever their polarity.

    A sum loses what is inverted in one channel; a quarter of a turn apart, mid and side cannot cancel.

    Args:
        read: gives pieces `[2, N]` of a section.
        start: first sample.
        stop: sample after the last.
        samples: of the recording; beyond it there is silence.
        sample_rate_hz: of the recording.
    """
    kernel = quarter_turn(sample_rate_hz)
    reach = len(kernel) // 2
    before, after = max(0, start - reach), min(samples, stop + reach)
    kept = np.zeros((2, before - (start - reach)), np.float32)
    for piece in read(before, after):
        kept = np.concatenate([kept, piece], axis=1)
        if kept.shape[1] > 2 * reach:
            yield _turned(kept, kernel)
            kept = kept[:, kept.shape[1] - 2 * reach :]
    kept = np.concatenate([kept, np.zeros((2, stop + reach - after), np.float32)], axis=1)
    if kept.shape[1] > 2 * reach:
        yield _turned(kept, kernel)


@lru_cache(maxsize=8)  # callers choose sample rates
def quarter_turn(sample_rate_hz: int) -> Floats:
    """The impulse response of a Hilbert transform from `LOWEST_HZ` up, windowed; of odd length."""
    reach = 1 + 2 * round(sample_rate_hz / LOWEST_HZ / 2)
    at = np.arange(-reach, reach + 1)
    odd = at % 2 != 0
    response = np.where(odd, 2 / (np.pi * np.where(odd, at, 1)), 0)
    return (response * np.hamming(len(at))).astype(np.float32)


def _turned(piece: Floats, kernel: Floats) -> Floats:
    """`[2, N + K - 1]` to `[N]`."""
    reach, count = len(kernel) // 2, piece.shape[1] - len(kernel) + 1
    mid, side = (piece[0] + piece[1]) / 2, (piece[0] - piece[1]) / 2
    size = 1 << (piece.shape[1] + len(kernel) - 2).bit_length()
    turned = np.fft.irfft(np.fft.rfft(side, size) * np.fft.rfft(kernel, size), size)
    return np.asarray(mid[reach : reach + count] + turned[2 * reach : 2 * reach + count], np.float32)

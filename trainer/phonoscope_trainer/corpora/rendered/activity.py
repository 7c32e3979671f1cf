"""Where a voice track sounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.corpus import Segment

WINDOW_S = 0.01
LONGEST_JOINED_GAP_S = 0.3  # a shorter rest is part of the phrase
SHORTEST_S = 0.05


@dataclass(frozen=True, slots=True)
class Floor:
    """The level above which a voice counts as sounding."""

    below_db: float  # under the level at `percentile`
    percentile: float  # of the levels of all windows that are not silent


DRY = Floor(below_db=38.0, percentile=50.0)
# Between phrases a recorded stem holds breath, bleeding headphones and noise, at times for most of a song.
RECORDED = Floor(below_db=22.0, percentile=95.0)


def sung_segments(voice: NDArray[np.float64], sample_rate_hz: int, floor: Floor = DRY) -> tuple[Segment, ...]:
    """Phrases of a voice track `[N]`: stretches above the floor, joined over gaps of less than 0.3 s."""
    window = round(WINDOW_S * sample_rate_hz)
    frames = voice[: len(voice) // window * window].reshape(-1, window)
    powers = np.mean(np.square(frames), axis=1)
    sounding = powers > 1e-9
    if not sounding.any():
        return ()
    loud = powers > np.percentile(powers[sounding], floor.percentile) * 10 ** (-floor.below_db / 10)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(int), [0]))))
    segments: list[Segment] = []
    for first, last in edges.reshape(-1, 2) * window / sample_rate_hz:
        start_s, end_s = round(float(first), 3), round(float(last), 3)
        if segments and start_s - segments[-1].end_s < LONGEST_JOINED_GAP_S:
            start_s = segments.pop().start_s
        segments.append(Segment(start_s, end_s))
    return tuple(s for s in segments if s.end_s - s.start_s >= SHORTEST_S)

"""Music as some listener is given it: excerpts from everywhere in the corpora at hand, and what it answers.

There may be no labels for what an adopted network names. What it says itself is what is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.audio import read_sum
from phonoscope_trainer.corpora.corpus import Corpus, Split, Track
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.networks.listener import LOG_ODDS, Listener

QUIETEST = 1e-3  # root mean square of an excerpt: below it there is nothing to answer about
BATCH = 16
Progress = Callable[[Iterable[Track]], Iterable[Track]]


@dataclass(frozen=True, slots=True)
class Listened:
    """Excerpts, each with its recording and the listener's answer."""

    log_mel: Tensor  # `[N, T, M]`
    log_odds: Tensor  # `[N, K]`
    track: NDArray[np.int64]  # `[N]` the number of the recording
    start_s: NDArray[np.float64]  # `[N]`
    tracks: tuple[Track, ...]  # by number

    def __len__(self) -> int:
        return len(self.log_mel)

    def rows(self, chosen: NDArray[np.int64]) -> Listened:
        """Some of them."""
        return Listened(
            self.log_mel[chosen], self.log_odds[chosen], self.track[chosen], self.start_s[chosen], self.tracks
        )


def listened(
    corpora: Sequence[Corpus],
    split: Split,
    listener: Listener,
    count: int,
    seed: int,
    progress: Progress = lambda tracks: tracks,
) -> Listened:
    """About `count` excerpts of one split, as many of every recording, at places drawn uniformly.

    Raises:
        CorpusError: no recording is long enough.
    """
    tracks = [track for corpus in corpora for track in corpus.of(split)]
    rng, wanted = np.random.default_rng(seed), max(1, -(-count // max(1, len(tracks))))
    if len(tracks) > count:
        tracks = [tracks[number] for number in sorted(rng.choice(len(tracks), count, replace=False))]
    bands, parts, places = listener.bands, [], []
    rate = listener.parameters.sample_rate_hz
    for number, track in enumerate(progress(tracks)):
        samples = read_sum(track.audio, rate)
        room = len(samples) - listener.samples
        if room < 0:
            continue
        first = np.sort(rng.integers(room + 1, size=wanted))
        rows = np.stack([samples[start : start + listener.samples] for start in first])
        loud = np.sqrt(np.square(rows).mean(axis=1)) >= QUIETEST
        if loud.any():
            with torch.inference_mode():
                parts.append(bands(torch.from_numpy(rows[loud])))
            places += [(number, start / rate) for start in first[loud]]
    if not parts:
        names = ", ".join(corpus.name for corpus in corpora)
        raise CorpusError(f"{names}: no recording of the {split} split is as long as an excerpt of {listener.name}")
    log_mel = torch.cat(parts)
    track_of, start_s = zip(*places, strict=True)
    return Listened(log_mel, answers(listener, log_mel), np.array(track_of), np.array(start_s), tuple(tracks))


@torch.inference_mode()
def answers(listener: Listener, log_mel: Tensor) -> Tensor:
    """Log-odds `[N, K]` of `log_mel` `[N, T, M]`."""
    standardise = listener.standardise
    found: list[Tensor] = [
        listener.network.activations(standardise(part))[LOG_ODDS]  # type: ignore[operator]  # Layered, or alike
        for part in log_mel.split(BATCH)
    ]
    return torch.cat(found)


@torch.inference_mode()
def band_means(listener: Listener, log_mel: Tensor) -> Tensor:
    """`[M]` of what the network is given, over music `[N, T, M]`: what says nothing."""
    standardise = listener.standardise
    parts = [standardise(part).mean(dim=1) for part in log_mel.split(BATCH)]
    return torch.cat(parts).mean(dim=0).clone()

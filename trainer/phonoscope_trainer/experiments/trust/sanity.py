"""Sanity of every rule: what is left of explanations without what was learnt, and after harmless changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import every_place, log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.randomisation import DRAWS, similarities
from phonoscope_trainer.experiments.trust.stability import stability
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.ranges import at_least

Progress = Callable[[Iterable[int], str], Iterable[int]]  # first rows of batches, and what is measured
ByRule = Mapping[str, Mapping[str, Mapping[str, NDArray[np.float64]]]]  # rule → stage or change → measure → [B]


@dataclass(frozen=True, slots=True)
class SanityOptions:
    """How much is measured."""

    excerpts: int = 120  # of each corpus
    draws: int = DRAWS  # of untrained weights, over which similarities are averaged
    batch: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, self, "excerpts", "draws")


def places(
    name: str, tracks: Sequence[Features], frontend: Frontend, options: SanityOptions
) -> tuple[Tensor, NDArray[np.int64]]:
    """Excerpts with one frame more, `[N, 116, 80]` log-mel, drawn uniformly over all places, and the track of each.

    Raises:
        CorpusError: no track is long enough.
    """
    frames = EXCERPT_FRAMES + 1
    found = every_place(tracks, excerpt_frames=frames)
    if not len(found):
        raise CorpusError(f"{name}: no track has {frames} frames")
    rng = np.random.default_rng(options.seed)
    chosen = found[np.sort(rng.permutation(len(found))[: options.excerpts])]
    log_mel = log_mel_at(tracks, chosen, frontend, frames)
    return log_mel, np.unique(chosen[:, 0], return_inverse=True)[1]


def measure(
    log_mel: Tensor, track: NDArray[np.int64], explained: ExplainedNetwork, options: SanityOptions, progress: Progress
) -> dict[str, object]:
    """`randomisation[rule][stage]` and `stability[rule][change]`, each measure with its interval over tracks."""
    alike: list[ByRule] = []
    stable: list[ByRule] = []
    for first in progress(range(0, len(log_mel), options.batch), "sanity"):
        batch = log_mel[first : first + options.batch]
        alike.append(similarities(explained, batch[:, :-1], range(options.seed, options.seed + options.draws)))
        stable.append(stability(explained, batch))
    return {"n": len(log_mel), "randomisation": _together(alike, track), "stability": _together(stable, track)}


def _together(parts: Sequence[ByRule], track: NDArray[np.int64]) -> dict[str, dict[str, dict[str, object]]]:
    return {
        rule: {
            change: {
                name: mean_interval(np.concatenate([p[rule][change][name] for p in parts]), track) for name in names
            }
            for change, names in changes.items()
        }
        for rule, changes in parts[0].items()
    }

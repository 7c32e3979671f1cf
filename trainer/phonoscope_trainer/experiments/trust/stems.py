"""Stem ground truth: do explanations of `vocal` point at the voice?

Excerpts in which somebody sings and the detector says so. Regions of all names have the area that the default rule
gives its own, excerpt by excerpt, so a wide region cannot pass for a precise one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import every_place, log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.baselines import Baselines
from phonoscope_trainer.experiments.explanation.controls import CONTROLS, first_bins, ranks
from phonoscope_trainer.experiments.explanation.excerpts import CANDIDATES
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.captum_peers import saliency
from phonoscope_trainer.experiments.trust.stem_agreement import (
    pointing_game,
    relevance_mass,
    relevance_rank,
    voice_share,
)
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, Frontend
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.ranges import at_least

Progress = Callable[[Iterable[int], str], Iterable[int]]  # first rows of batches, and what is measured
MEASURES = ("relevance_mass", "relevance_rank", "pointing_game")
NEUTRAL = 0.5  # of the gradient rule: below it a bin speaks against the label


@dataclass(frozen=True, slots=True)
class StemOptions:
    """How much is measured."""

    excerpts: int = 600  # of each corpus, at most
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, self, "excerpts")


@dataclass(frozen=True, slots=True)
class SungExcerpts:
    """Excerpts of one corpus in which the voice is known."""

    log_mel: Tensor  # [N, T, M] of the mixture
    share: Tensor  # [N, T, M] the voice's part of each bin's energy
    track: NDArray[np.int64]  # [N] index of the track
    first_frame: NDArray[np.int64]  # [N] where in it

    def __len__(self) -> int:
        return len(self.track)


def sung_excerpts(
    name: str, tracks: Sequence[Features], frontend: Frontend, explained: ExplainedNetwork, options: StemOptions
) -> SungExcerpts:
    """Excerpts whose middle frame is sung and that the detector calls vocal, from places drawn uniformly.

    Raises:
        CorpusError: a track has no stems, or the detector is right about none.
    """
    if without := [each.track.name for each in tracks if not each.has_stems]:
        raise CorpusError(f"{name}: {without[0]} has no stems; where the voice is must be known")
    places = every_place(tracks)
    places = places[np.array([tracks[track].labels[first + CONTEXT_FRAMES] for track, first in places], bool)]
    np.random.default_rng(options.seed).shuffle(places)
    kept = np.zeros((0, 2), np.int64)
    for first in range(0, len(places), CANDIDATES):
        candidates = places[first : first + CANDIDATES]
        kept = np.concatenate([kept, candidates[explained.is_vocal(log_mel_at(tracks, candidates, frontend)).numpy()]])
        if len(kept) >= options.excerpts:
            break
    if not len(kept):
        raise CorpusError(f"{name}: of {len(places)} sung excerpts the detector calls none vocal")
    kept = kept[: options.excerpts]
    kept = kept[np.lexsort(kept.T[::-1])]
    shares = [_share(tracks[track], first, frontend) for track, first in kept]
    return SungExcerpts(log_mel_at(tracks, kept, frontend), torch.stack(shares), *kept.T)


def _share(track: Features, first: int, frontend: Frontend) -> Tensor:
    stems = torch.from_numpy(track.magnitudes[1:, first : first + EXCERPT_FRAMES].astype(np.float32))
    return voice_share(stems[0], stems[1], frontend.filterbank)


def measure(
    excerpts: SungExcerpts,
    explained: ExplainedNetwork,
    baselines: Baselines,
    options: StemOptions,
    progress: Progress,
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Measure → name → `[N]` values: rules, saliency, baselines, controls; `default` is the rule served by default."""
    found: dict[str, dict[str, list[Tensor]]] = {}
    for first in progress(range(0, len(excerpts), options.batch), "stems"):
        rows = slice(first, first + options.batch)
        log_mel, share = excerpts.log_mel[rows], excerpts.share[rows]
        relevances = _relevances(explained, explained.standardise(log_mel))
        default = relevances[explained.default]
        counts = (default >= ALPHAS[explained.default]).sum(dim=(1, 2)).clamp(min=1)
        rng = np.random.default_rng((options.seed, first))
        scored = relevances | baselines.scores(log_mel, torch.ones(len(log_mel)))
        scored |= {name: control(log_mel, rng) for name, control in CONTROLS.items()}
        for name, scores in scored.items():
            ranked = ranks(scores)
            values = {
                "relevance_mass": relevance_mass(first_bins(ranked, counts).float(), share),
                "relevance_rank": relevance_rank(ranked, share),
                "pointing_game": pointing_game(ranked, share),
            }
            if name in relevances:
                values["relevance_mass_of_relevance"] = relevance_mass(_evidence(name, scores), share)
            for measure_name, value in values.items():
                found.setdefault(measure_name, {}).setdefault(name, []).append(value)
        found.setdefault("area", {}).setdefault("default", []).append(counts / log_mel[0].numel())
    document = {
        measure_name: {name: torch.cat(parts).double().numpy() for name, parts in by_name.items()}
        for measure_name, by_name in found.items()
    }
    for by_name in document.values():
        by_name.setdefault("default", by_name.get(explained.default, np.zeros(0)))
    return document


def summary(
    by_corpus: Mapping[str, tuple[SungExcerpts, Mapping[str, Mapping[str, NDArray[np.float64]]]]],
    default: str,
) -> dict[str, object]:
    """The document: each measure over all corpora, excerpts weighted alike, and `per_corpus`.

    `above` is how much more of its mass the rule `default` has than another name, paired excerpt by excerpt.
    """
    corpora = list(by_corpus)
    tracks = {corpus: np.unique(excerpts.track, return_inverse=True)[1] for corpus, (excerpts, _) in by_corpus.items()}
    offsets = np.cumsum([0, *(track.max() + 1 for track in tracks.values())])
    together = np.concatenate([tracks[corpus] + offset for corpus, offset in zip(corpora, offsets, strict=False)])
    measures = list(by_corpus[corpora[0]][1])
    document: dict[str, object] = {
        measure_name: {
            name: mean_interval(np.concatenate([by_corpus[c][1][measure_name][name] for c in corpora]), together)
            for name in by_corpus[corpora[0]][1][measure_name]
        }
        for measure_name in measures
    }
    document["above"] = {
        name: mean_interval(
            np.concatenate([v["relevance_mass"]["default"] - v["relevance_mass"][name] for _, v in by_corpus.values()]),
            together,
        )
        for name in by_corpus[corpora[0]][1]["relevance_mass"]
        if name not in ("default", default)
    }
    document["per_corpus"] = {
        corpus: {
            "n": len(excerpts),
            "files": int(tracks[corpus].max()) + 1,
            "voice_share": float(excerpts.share.mean()),
        }
        | {
            measure_name: {name: mean_interval(value, tracks[corpus]) for name, value in by_name.items()}
            for measure_name, by_name in values.items()
        }
        for corpus, (excerpts, values) in by_corpus.items()
    }
    return document


def _relevances(explained: ExplainedNetwork, standardised: Tensor) -> dict[str, Tensor]:
    return explained.relevances(standardised) | {"saliency": saliency(explained, standardised)}


def _evidence(name: str, relevance: Tensor) -> Tensor:
    """What speaks for the label, not negative: the gradient rule's neutral value is not 0."""
    return (relevance - NEUTRAL).clamp(min=0) if name == "gradient" else relevance

"""Localisation: does relevance lie where, by people's annotations, the label is?

Excerpts of which a part is sung and the rest is not, and which the detector calls vocal. Every rule orders their frames
by the mean of its relevance over bands, and with stems their bins; the area under the ROC curve says how often a sung
one comes before another, excerpt by excerpt, as a time-localised benchmark of explanations does (arXiv 2506.04391).
Beside it FF, the probability that goes when the region goes (Paissan et al. 2024), at one area for all: the two need
not rank rules alike, for one asks what a person would point at, the other what the network hangs on.
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
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.explanation.controls import first_bins, random_block, ranks
from phonoscope_trainer.experiments.explanation.excerpts import CANDIDATES
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.captum_peers import saliency
from phonoscope_trainer.experiments.trust.stem_agreement import voice_share
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.measures.scores import auc
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.detector.excerpts import LONE_KINDS

Progress = Callable[[Iterable[int], str], Iterable[int]]  # first rows of batches, and what is measured
Values = dict[str, dict[str, NDArray[np.float64]]]  # measure → name → [N]; NaN where it cannot be told
VOICE = 0.5  # share of a bin's energy from which on it is the voice's


@dataclass(frozen=True, slots=True)
class LocalisationOptions:
    """How much is measured."""

    excerpts: int = 300  # of each corpus, at most
    songs: int = 24  # rendered, that change their genre, in every pair of genres
    least_share: float = 0.2  # of an excerpt's frames, of either kind
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, self, "excerpts", "songs", "batch")
        if not 0 < self.least_share <= 0.5:
            raise OptionsError(f"least_share must be above 0 and at most .5, got {self.least_share:g}")


@dataclass(frozen=True, slots=True)
class PartlySung:
    """Excerpts of one corpus."""

    log_mel: Tensor  # [N, T, M]
    sung: NDArray[np.bool_]  # [N, T]
    share: Tensor | None  # [N, T, M] the voice's part of each bin's energy; None without stems
    track: NDArray[np.int64]  # [N] index of the track

    def __len__(self) -> int:
        return len(self.track)


def partly_sung(
    name: str, tracks: Sequence[Features], frontend: Frontend, explained: ExplainedNetwork, options: LocalisationOptions
) -> PartlySung:
    """Excerpts from places drawn uniformly; none of a lone voice, whose rests are silence.

    Raises:
        CorpusError: the detector calls none of them vocal.
    """
    places = every_place(tracks)
    shares = np.concatenate([sung_shares(track.labels) for track in tracks])
    is_music = np.array([track.track.kind not in LONE_KINDS for track in tracks])[places[:, 0]]
    places = places[(np.minimum(shares, 1 - shares) >= options.least_share) & is_music]
    np.random.default_rng(options.seed).shuffle(places)
    kept = np.zeros((0, 2), np.int64)
    for first in range(0, len(places), CANDIDATES):
        some = places[first : first + CANDIDATES]
        kept = np.concatenate([kept, some[explained.is_vocal(log_mel_at(tracks, some, frontend)).numpy()]])
        if len(kept) >= options.excerpts:
            break
    if not len(kept):
        raise CorpusError(f"{name}: of {len(places)} excerpts that are sung in part the detector calls none vocal")
    kept = kept[: options.excerpts]
    kept = kept[np.lexsort(kept.T[::-1])]
    stems = all(tracks[track].has_stems for track in np.unique(kept[:, 0]))
    return PartlySung(
        log_mel_at(tracks, kept, frontend),
        np.stack([tracks[track].labels[first : first + EXCERPT_FRAMES] for track, first in kept]),
        torch.stack([_share(tracks[track], first, frontend) for track, first in kept]) if stems else None,
        kept[:, 0],
    )


def measure(
    excerpts: PartlySung, explained: ExplainedNetwork, options: LocalisationOptions, progress: Progress
) -> Values:
    """`time` and, with stems, `time_frequency` AUC and `ff` of rules, saliency, loudness and chance."""
    found: dict[str, dict[str, list[NDArray[np.float64]]]] = {}
    for first in progress(range(0, len(excerpts), options.batch), "localisation"):
        rows = slice(first, first + options.batch)
        log_mel, rng = excerpts.log_mel[rows], np.random.default_rng((options.seed, first))
        standardised = explained.standardise(log_mel)
        scored = explained.relevances(standardised)
        counts = (scored[explained.default] >= ALPHAS[explained.default]).sum(dim=(1, 2)).clamp(min=1)
        scored |= {
            "saliency": saliency(explained, standardised),
            "energy": log_mel,
            "loudest_standardised": standardised,
            "random": random_block(log_mel, rng),
        }
        before = _probability(explained, standardised)
        for name, relevance in scored.items():
            values = {"time": aucs(frame_scores(relevance), excerpts.sung[rows])}
            if excerpts.share is not None:
                values["time_frequency"] = aucs(relevance.flatten(1), excerpts.share[rows].flatten(1).numpy() >= VOICE)
            left = standardised * (1 - first_bins(ranks(relevance), counts).float())
            values["ff"] = before - _probability(explained, left)
            for measure_name, value in values.items():
                found.setdefault(measure_name, {}).setdefault(name, []).append(value)
    for by_name in found.values():
        by_name["default"] = by_name[explained.default]
    return {
        measure_name: {name: np.concatenate(parts) for name, parts in by_name.items()}
        for measure_name, by_name in found.items()
    }


def summary(by_corpus: Mapping[str, tuple[PartlySung, Values]]) -> dict[str, object]:
    """Measure → name → `mean`, `low`, `high` over all corpora, excerpts weighted alike; and of each corpus."""
    together = _rates(list(by_corpus.values()))
    per_corpus = {
        name: {"n": len(excerpts), "files": len(np.unique(excerpts.track)), **_rates([(excerpts, values)])}
        for name, (excerpts, values) in by_corpus.items()
    }
    return {**together, "n": sum(len(each) for each, _ in by_corpus.values()), "per_corpus": per_corpus}


def _rates(parts: Sequence[tuple[PartlySung, Values]]) -> dict[str, object]:
    """Recordings are drawn for the intervals; an excerpt that cannot be told about is left out."""
    found: dict[str, object] = {}
    for measure_name in dict.fromkeys(name for _, values in parts for name in values):
        having = [(excerpts.track, values[measure_name]) for excerpts, values in parts if measure_name in values]
        offsets = np.cumsum([0, *(track.max() + 1 for track, _ in having)])
        track = np.concatenate([each + offset for (each, _), offset in zip(having, offsets, strict=False)])
        rates = {}
        for name in having[0][1]:
            value = np.concatenate([by_name[name] for _, by_name in having])
            known = ~np.isnan(value)
            if known.any():
                rates[name] = mean_interval(value[known], np.unique(track[known], return_inverse=True)[1])
        found[measure_name] = rates
    return found


def frame_scores(relevance: Tensor) -> Tensor:
    """`[B, T]` the mean of relevance `[B, T, M]` over bands: what frames are ordered by."""
    return relevance.mean(dim=2)


def aucs(scores: Tensor, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """`[B]` of scores and labels, both `[B, …]`; NaN where a row has one label alone."""
    found = [auc(row, label) for row, label in zip(scores.numpy(), labels, strict=True)]
    return np.array([np.nan if each is None else each for each in found])


def _probability(explained: ExplainedNetwork, standardised: Tensor) -> NDArray[np.float64]:
    """`[B]` that somebody sings, of excerpts or of what is left of them when a region becomes its bands' means."""
    with torch.inference_mode():
        logits = explained.margins(standardised) + explained.threshold_logit
        return np.asarray(torch.sigmoid(logits).double().numpy())


def sung_shares(labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of every excerpt of a recording, in order of its first frame."""
    total = np.concatenate([[0], np.cumsum(labels)])
    return np.asarray((total[EXCERPT_FRAMES:] - total[:-EXCERPT_FRAMES]) / EXCERPT_FRAMES)


def _share(track: Features, first: int, frontend: Frontend) -> Tensor:
    stems = torch.from_numpy(track.magnitudes[1:, first : first + EXCERPT_FRAMES].astype(np.float32))
    return voice_share(stems[0], stems[1], frontend.filterbank)

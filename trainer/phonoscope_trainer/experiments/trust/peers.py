"""Peers in the same run: others' explanations beside ours, on the same excerpts, at the same area, by the same scores.

Every region has the area that the default rule gives its own, excerpt by excerpt. A peer's relevance is judged as it
is, and once more smoothed like our gradient rule's, which helps those that scatter. Seconds are those of one excerpt at
a time, all methods taking turns, so that a busy machine is as busy for each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.explanation.controls import first_bins, ranks
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.explanation.rates import Rates
from phonoscope_trainer.experiments.trust.captum_peers import LIME_SAMPLES, PEERS, lime
from phonoscope_trainer.experiments.trust.peer_scores import deletion_insertion, scores
from phonoscope_trainer.graphs.gradient import smoothed
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.networks.label import is_vocal

Progress = Callable[[Iterable[int], str], Iterable[int]]  # rows, and what is measured
Method = Callable[[Tensor], Tensor]  # standardised `[1, 115, 80]` to relevance `[1, 115, 80]`
Values = NDArray[np.generic]
SMOOTHED = ", smoothed"  # ends the name of a peer whose relevance is smoothed


@dataclass(frozen=True, slots=True)
class PeerOptions:
    """How much is measured."""

    excerpts: int = 100  # of each corpus, half of each class
    costly_excerpts: int = 24  # of them, for peers that take hundreds of passes an excerpt, and for curves
    costly: tuple[str, ...] = ("occlusion", "lime")
    lime_samples: int = LIME_SAMPLES  # passes an excerpt
    curve_steps: int = 10  # of deletion and insertion
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("excerpts", "costly_excerpts"):
            if getattr(self, name) < 4:
                raise OptionsError(f"{name} must be at least 4, two of each class, got {getattr(self, name)}")


def together(by_corpus: Mapping[str, Excerpts]) -> tuple[Excerpts, NDArray[np.str_]]:
    """Excerpts of all corpora as one set, and the corpus of each `[N]`; tracks are numbered through."""
    parts, first = [], 0
    for excerpts in by_corpus.values():
        track = np.unique(excerpts.track, return_inverse=True)[1] + first
        first = int(track.max()) + 1
        parts.append(replace(excerpts, track=track))
    corpus = np.concatenate([np.full(len(excerpts), name) for name, excerpts in by_corpus.items()])
    everything = Excerpts(
        torch.cat([part.log_mel for part in parts]),
        np.concatenate([part.is_vocal for part in parts]),
        np.concatenate([part.track for part in parts]),
        np.concatenate([part.first_frame for part in parts]),
        float(np.mean([part.vocal_share for part in parts])),
    )
    return everything, corpus


def costly_rows(excerpts: Excerpts, corpus: NDArray[np.str_], count: int) -> NDArray[np.int64]:
    """`count` rows of each corpus at most, as many of each class, spread over its tracks."""
    rows = []
    for name in np.unique(corpus):
        for vocal in (False, True):
            found = np.flatnonzero((corpus == name) & (excerpts.is_vocal == vocal))
            rows.append(found[np.linspace(0, len(found) - 1, min(count // 2, len(found))).astype(int)])
    return np.sort(np.concatenate(rows))


@dataclass(frozen=True, slots=True)
class Explanations:
    """What each method said of the excerpts it was asked about."""

    relevance: Mapping[str, Tensor]  # method → [n, 115, 80]
    rows: Mapping[str, NDArray[np.int64]]  # method → [n] of which excerpts
    seconds: Mapping[str, float]  # method → median of one excerpt


def explain(
    excerpts: Excerpts,
    explained: ExplainedNetwork,
    served: Mapping[str, Method],
    costly: NDArray[np.int64],
    options: PeerOptions,
    progress: Progress,
) -> Explanations:
    """Ask every rule in `served` and every peer, one excerpt at a time, in turns."""
    asked_as = PEERS | {"lime": partial(lime, samples=options.lime_samples)}
    methods = dict(served) | {name: partial(peer, explained) for name, peer in asked_as.items()}
    everything = np.arange(len(excerpts))
    rows = {name: costly if name in options.costly else everything for name in methods}
    relevance: dict[str, list[Tensor]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    standardised = explained.standardise(excerpts.log_mel)
    for name in methods.keys() - set(options.costly):
        methods[name](standardised[:1])  # what is made at a first call is no part of an explanation
    asked = {name: set(chosen.tolist()) for name, chosen in rows.items()}
    for row in progress(everything.tolist(), "explanations"):
        for name, method in methods.items():
            if row in asked[name]:
                before = time.perf_counter()
                found = method(standardised[row : row + 1])
                seconds[name].append(time.perf_counter() - before)
                relevance[name].append(found)
    medians = {name: float(np.median(each)) for name, each in seconds.items()}
    return Explanations({name: torch.cat(each) for name, each in relevance.items()}, rows, medians)


@dataclass(frozen=True, slots=True)
class Examination:
    """Excerpts, the detector, and the area that every region gets."""

    excerpts: Excerpts
    corpus: NDArray[np.str_]  # [N]
    explained: ExplainedNetwork
    counts: Tensor  # [N] bins of a region
    options: PeerOptions

    @torch.inference_mode()
    def values(self, relevance: Tensor, rows: NDArray[np.int64]) -> dict[str, Values]:
        """Every score of regions by `relevance` `[n, 115, 80]` of the excerpts `rows` `[n]`."""
        parts: list[dict[str, Values]] = []
        for first in range(0, len(rows), self.options.batch):
            chosen = rows[first : first + self.options.batch]
            standardised = self.explained.standardise(self.excerpts.log_mel[chosen])
            region = first_bins(ranks(relevance[first : first + len(chosen)]), self.counts[chosen])
            labels = torch.from_numpy(self.excerpts.is_vocal[chosen])
            whole, inside, outside = (
                self.explained.margins(each) for each in (standardised, standardised * region, standardised * ~region)
            )
            kept = (is_vocal(inside, 0) == labels).numpy()
            p, o, r = (self._log_odds(margins, labels) for margins in (whole, inside, outside))
            flips = (is_vocal(outside, 0) != labels).numpy()
            parts.append({"loss": ~kept, "removed_flips": flips, **scores(p, o, r, kept)})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @torch.inference_mode()
    def curves(self, relevance: Tensor, rows: NDArray[np.int64]) -> dict[str, Values]:
        """Areas under deletion and insertion, like `values`."""
        found = []
        for first in range(0, len(rows), self.options.batch):
            chosen = rows[first : first + self.options.batch]
            labels = torch.from_numpy(self.excerpts.is_vocal[chosen])

            def probability(standardised: Tensor, labels: Tensor = labels) -> Tensor:
                return torch.from_numpy(1 / (1 + np.exp(-self._log_odds(self.explained.margins(standardised), labels))))

            standardised = self.explained.standardise(self.excerpts.log_mel[chosen])
            ranked = ranks(relevance[first : first + len(chosen)])
            found.append(deletion_insertion(standardised, ranked, probability, self.options.curve_steps))
        return {
            name: torch.cat(parts).numpy()
            for name, parts in zip(("deletion", "insertion"), zip(*found, strict=True), strict=True)
        }

    def _log_odds(self, margins: Tensor, labels: Tensor) -> NDArray[np.float64]:
        """`[B]` log-odds of each label, of the margins over the threshold."""
        logits = margins.double() + self.explained.threshold_logit
        return torch.where(labels, logits, -logits).numpy()


def document(
    examination: Examination, found: Explanations, curve_rows: NDArray[np.int64], baselines: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Rows of all, of `baselines` by their scores `[N, 115, 80]`; the default's speed; who loses fewer labels."""
    default = examination.explained.default
    reference = examination.values(found.relevance[default], found.rows[default])["loss"].astype(float)
    rows: dict[str, dict[str, Any]] = {}
    lower: list[str] = []
    for name, relevance in found.relevance.items():
        asked = found.rows[name]
        row = _row(examination, relevance, asked, reference)
        row |= _curves(examination, relevance, asked, curve_rows)
        row["seconds"] = found.seconds[name]
        row["times_the_default"] = found.seconds[name] / found.seconds[default]
        rows[name] = row
        variants = {name: row}
        if name in PEERS:
            row["smoothed"] = _row(examination, smoothed(relevance), asked, reference)
            variants[f"{name}{SMOOTHED}"] = row["smoothed"]
        lower += [each for each, values in variants.items() if values["loss_over_default"]["mean"] < 0]
    everything = np.arange(len(examination.excerpts))
    plain = {name: _row(examination, each, everything, reference) for name, each in baselines.items()}
    lower += [name for name, row in plain.items() if row["loss_over_default"]["mean"] < 0]
    return {
        "default": default,
        "area": Rates.of(examination.excerpts).balanced(examination.counts.numpy() / relevance[0].numel()),
        "rules": {name: row for name, row in rows.items() if name not in PEERS},
        "peers": {name: row for name, row in rows.items() if name in PEERS},
        "baselines": plain,
        "speedup_over_lime": found.seconds["lime"] / found.seconds[default],
        "speedup_over_integrated_gradients": found.seconds["integrated_gradients"] / found.seconds[default],
        "lower_loss_than_default": lower,
    }


def _row(
    examination: Examination, relevance: Tensor, asked: NDArray[np.int64], reference: NDArray[np.float64]
) -> dict[str, Any]:
    """Scores with intervals, both classes alike; the difference to the default's loss is paired by excerpt."""
    values = examination.values(relevance, asked)
    rates = Rates.of(examination.excerpts.rows(asked))
    row: dict[str, Any] = {"n": len(asked)}
    row |= {name: rates.balanced(each) for name, each in values.items()}
    row["loss_over_default"] = rates.balanced(values["loss"].astype(float) - reference[asked])
    row["loss_per_class"] = rates.per_class(values["loss"])
    corpus = examination.corpus[asked]
    row["loss_per_corpus"] = {
        str(name): Rates.of(examination.excerpts.rows(asked[corpus == name])).balanced(values["loss"][corpus == name])
        for name in np.unique(corpus)
    }
    return row


def _curves(
    examination: Examination, relevance: Tensor, asked: NDArray[np.int64], curve_rows: NDArray[np.int64]
) -> dict[str, object]:
    rates = Rates.of(examination.excerpts.rows(curve_rows))
    of_them = examination.curves(relevance[np.isin(asked, curve_rows)], curve_rows)
    return {name: rates.balanced(values) for name, values in of_them.items()} | {"curve_n": len(curve_rows)}


def default_counts(relevance: Tensor, rule: str) -> Tensor:
    """`[N]` bins of the default rule's own regions, by its relevance `[N, 115, 80]`; at least one."""
    return (relevance >= ALPHAS[rule]).sum(dim=(1, 2)).clamp(min=1)


def table(found: Mapping[str, Any], names: Sequence[str] = ("loss",)) -> str:
    """Rows of a document as text, for a person at a terminal."""
    lines = [f"{'method':<24}{'n':>5}{'seconds':>10}" + "".join(f"{name:>18}" for name in names)]
    for kind in ("rules", "peers"):
        for method, row in found[kind].items():
            scores_of = "".join(f"{row[name]['mean']:>18.3f}" for name in names)
            lines.append(f"{method:<24}{row['n']:>5}{row['seconds']:>10.4f}{scores_of}")
    return "\n".join(lines)

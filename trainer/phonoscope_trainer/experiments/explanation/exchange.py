"""Evidence by exchange: does what a region holds carry its answer into other music, and does the answer go with it?

Filling what is outside a region with a constant draws the region's outline, and a detector can hear the outline sing.
Here excerpts are exchanged with music of the other answer, brought to the excerpt's own level:

    carried         the region's content in a host gives the excerpt's answer: it should
    removed_flips   a host's content in the region takes the answer away: it should
    silhouette      a third excerpt's content, of the other answer as well, in the region over a host gives the
                    excerpt's answer: it should no more often than the host untouched (`baseline_called`)
    voice_muted     the accompaniment alone, in the region over a host, is called `vocal`: no more often than the
                    accompaniment alone (`accompaniment_alone`)

Hosts and thirds come from other recordings and are answered rightly and clearly. Controls carry the same excerpt's
content in as many bins; rules and baselines are compared at the default rule's area, excerpt by excerpt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.explanation.answers import RightAnswers
from phonoscope_trainer.experiments.explanation.baselines import Baselines
from phonoscope_trainer.experiments.explanation.controls import first_bins, random_block, ranks, shifted
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.explanation.partners import partners
from phonoscope_trainer.graphs.exchange import LN_FLOOR, at_level_of, exchanged
from phonoscope_trainer.graphs.rules import ALPHAS
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.augment import LN_PER_DECIBEL

Progress = Callable[[Iterable[int], str], Iterable[int]]  # first rows of batches, and what is measured
Values = dict[str, NDArray[np.float64]]  # measure → [N]
Rate = dict[str, float | None]  # mean, low, high
CONTROLS = ("random", "shifted", "other")


@dataclass(frozen=True, slots=True)
class ExchangeOptions:
    """How much is measured."""

    excerpts: int = 640  # of each corpus, half of each answer
    draws: int = 3  # hosts for each excerpt
    level_excerpts: int = 96  # of them, vocal answers that are asked about at every level
    levels_db: tuple[float, ...] = (-24.0, 0.0, 12.0)
    clear: float = 1.0  # logits from the threshold that a host's answer lies at least
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(4, self, "excerpts")
        at_least(1, self, "draws", "level_excerpts")
        if not self.clear >= 0:
            raise OptionsError(f"clear must be at least 0, got {self.clear:g}")


@dataclass(frozen=True, slots=True)
class Partners:
    """For each excerpt, which others take part: rows `[N]`."""

    host: NDArray[np.int64]
    third: NDArray[np.int64]
    other: NDArray[np.int64]  # of the same answer: its region is a control

    @classmethod
    def draw(cls, excerpts: RightAnswers, clear: float, rng: np.random.Generator) -> Partners:
        """From other recordings.

        Raises:
            CorpusError: an excerpt has no host, or none of its own answer beside it.
        """
        is_clear = np.abs(excerpts.margin) >= clear
        given = excerpts.is_vocal, excerpts.track
        return cls(
            partners(*given, is_clear, rng, same_answer=False),
            partners(*given, is_clear, rng, same_answer=False),
            partners(*given, np.ones(len(excerpts), bool), rng, same_answer=True),
        )


@dataclass(frozen=True, slots=True)
class Judge:
    """Explanations of one corpus' right answers, under examination."""

    explained: ExplainedNetwork
    baselines: Baselines
    excerpts: RightAnswers
    options: ExchangeOptions
    progress: Progress

    @torch.inference_mode()
    def ranked(self) -> tuple[dict[str, Tensor], Tensor]:
        """Rule or baseline → ranks of every excerpt's bins, int16 `[N, T, M]`, and the default's own counts `[N]`."""
        parts: defaultdict[str, list[Tensor]] = defaultdict(list)
        counts = []
        for rows in self._batches("rules"):
            log_mel, is_vocal = self.excerpts.log_mel[rows], torch.from_numpy(self.excerpts.is_vocal[rows])
            relevances = self.explained.relevances(self.explained.standardise(log_mel))
            counts.append((relevances[self.explained.default] >= ALPHAS[self.explained.default]).sum(dim=(1, 2)))
            for name, scores in (relevances | self.baselines.scores(log_mel, is_vocal)).items():
                parts[name].append(ranks(scores).to(torch.int16))
        return {name: torch.cat(each) for name, each in parts.items()}, torch.cat(counts)

    @torch.inference_mode()
    def default(self, ranked: Tensor, counts: Tensor) -> Values:
        """Every measure of the default rule's own regions and `control_NAME` of the controls, means over draws."""
        tally: defaultdict[str, list[Tensor]] = defaultdict(list)
        for draw in range(self.options.draws):
            drawn, rng = self._partners(draw), np.random.default_rng((self.options.seed, draw, 1))
            found = defaultdict(list)
            for rows in self._batches(f"exchange {draw + 1}"):
                for name, gives in self._tried(ranked, counts, rows, drawn, rng).items():
                    found[name].append(gives)
            for name, each in found.items():
                tally[name].append(torch.cat(each))
        values = {name: torch.stack(each).double().mean(dim=0).numpy() for name, each in tally.items()}
        return values | {"area": counts.numpy() / self.excerpts.log_mel[0].numel()}

    @torch.inference_mode()
    def beside(self, ranked: Mapping[str, Tensor], counts: Tensor) -> dict[str, Values]:
        """Rule or baseline → `carried`, `silhouette`, `removed_flips` and `voice_muted` at the default's area."""
        drawn = self._partners(0)
        found: dict[str, defaultdict[str, list[Tensor]]] = {name: defaultdict(list) for name in ranked}
        for rows in self._batches("rules beside it"):
            for name, each in ranked.items():
                region = first_bins(each[rows], counts[rows]).float()
                for measure, gives in self._measures(region, rows, drawn).items():
                    found[name][measure].append(gives)
        return {
            name: {measure: torch.cat(parts).double().numpy() for measure, parts in measures.items()}
            for name, measures in found.items()
        }

    @torch.inference_mode()
    def at_levels(self, counts: Tensor) -> dict[str, dict[float, Values]]:
        """Rule → level in dB → `carried` of some vocal answers, all at the default's area; hosts get louder, too."""
        drawn, found = self._partners(0), dict[str, dict[float, defaultdict[str, list[Tensor]]]]()
        some = np.flatnonzero(self.excerpts.is_vocal)
        some = some[np.linspace(0, len(some) - 1, min(self.options.level_excerpts, len(some))).astype(int)]
        for level_db in self.options.levels_db:
            for rows in self._batches(f"{level_db:+g} dB", some):
                log_mel = torch.clamp(self.excerpts.log_mel[rows] + level_db * LN_PER_DECIBEL, min=LN_FLOOR)
                host = at_level_of(log_mel, self.excerpts.log_mel[drawn.host[rows]])
                for rule, relevance in self.explained.relevances(self.explained.standardise(log_mel)).items():
                    region = first_bins(ranks(relevance), counts[rows]).float()
                    carried = self._gives(exchanged(log_mel, region, host), rows)
                    found.setdefault(rule, {}).setdefault(level_db, defaultdict(list))["carried"].append(carried)
        return {
            rule: {
                level_db: {name: torch.cat(each).double().numpy() for name, each in values.items()}
                for level_db, values in levels.items()
            }
            for rule, levels in found.items()
        }

    def _tried(
        self, ranked: Tensor, counts: Tensor, rows: NDArray[np.int64], drawn: Partners, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        log_mel, region = self.excerpts.log_mel[rows], first_bins(ranked[rows], counts[rows]).float()
        host = at_level_of(log_mel, self.excerpts.log_mel[drawn.host[rows]])
        controls = {
            "random": first_bins(ranks(random_block(log_mel, rng)), counts[rows]).float(),
            "shifted": shifted(region),
            "other": first_bins(ranked[drawn.other[rows]], counts[rows]).float(),
        }
        return (
            self._measures(region, rows, drawn)
            | {"baseline_called": self._gives(host, rows)}
            | {"accompaniment_alone": self._gives(self.excerpts.accompaniment[rows], rows)}
            | {f"control_{name}": self._gives(exchanged(log_mel, each, host), rows) for name, each in controls.items()}
        )

    def _measures(self, region: Tensor, rows: NDArray[np.int64], drawn: Partners) -> dict[str, Tensor]:
        log_mel = self.excerpts.log_mel[rows]
        host, third = (at_level_of(log_mel, self.excerpts.log_mel[each[rows]]) for each in (drawn.host, drawn.third))
        return {
            "carried": self._gives(exchanged(log_mel, region, host), rows),
            "silhouette": self._gives(exchanged(third, region, host), rows),
            "removed_flips": ~self._gives(exchanged(host, region, log_mel), rows),
            "voice_muted": self._gives(exchanged(self.excerpts.accompaniment[rows], region, host), rows),
        }

    def _gives(self, log_mel: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """`[B]` whether each of `log_mel` `[B, T, M]` gets the answer of the excerpt of its row."""
        return self.explained.is_vocal(log_mel) == torch.from_numpy(self.excerpts.is_vocal[rows])

    def _partners(self, draw: int) -> Partners:
        return Partners.draw(self.excerpts, self.options.clear, np.random.default_rng((self.options.seed, draw)))

    def _batches(self, what: str, rows: NDArray[np.int64] | None = None) -> Iterable[NDArray[np.int64]]:
        """Rows, some at a time."""
        chosen = np.arange(len(self.excerpts)) if rows is None else rows
        for first in self.progress(range(0, len(chosen), self.options.batch), what):
            yield chosen[first : first + self.options.batch]


def summary(values: Values, excerpts: RightAnswers, *, vocal: bool) -> dict[str, object]:
    """What the document says of the answers of one class; of stems only where there are some."""
    rows = excerpts.is_vocal == vocal
    document: dict[str, object] = {"n": int(rows.sum()), "files": len(np.unique(excerpts.track[rows]))}
    for name, each in values.items():
        if name in ("voice_muted", "accompaniment_alone"):
            known = rows & excerpts.has_stems
            if vocal and known.any():
                document[name] = rate(each, excerpts, known)
        elif name == "area":
            document["area"] = float(each[rows].mean())
        elif not name.startswith("control_"):
            document[name] = rate(each, excerpts, rows)
    controls = {name: f"control_{name}" for name in CONTROLS if f"control_{name}" in values}
    if controls:
        document["controls"] = {name: rate(values[key], excerpts, rows) for name, key in controls.items()}
    return document


def rate(values: NDArray[np.float64], excerpts: RightAnswers, rows: NDArray[np.bool_]) -> Rate:
    """`mean`, `low` and `high` over some of the excerpts; recordings are drawn."""
    track = np.unique(excerpts.track[rows], return_inverse=True)[1]
    return mean_interval(values[rows], track)

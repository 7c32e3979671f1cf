"""Evidence by exchange for any label of an adopted listener, every label counting alike.

As `experiments.explanation.exchange`; there is nobody's truth here: what is explained is what the listener says, and a
host is music to which it clearly does not say it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.adopted.shipped import ShippedListener
from phonoscope_trainer.experiments.adopted.sought import SoughtOptions, sought
from phonoscope_trainer.experiments.explanation.controls import first_bins, ranks, shifted
from phonoscope_trainer.graphs.exchange import at_level_of, exchanged
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.label_masker.excerpts import SURE, Matches, Matchmaker, margins_of
from phonoscope_trainer.recipes.listened import Listened

Progress = Callable[[Iterable[int], str], Iterable[int]]
Values = dict[str, NDArray[np.float64]]  # measure → [N]
FEWEST_TAGS = 6
CONTROLS = ("random", "shifted", "other")
SMOOTHING = 14.0  # an excerpt's frames, and its bands, over a random region's standard deviation


@dataclass(frozen=True, slots=True)
class AdoptedOptions:
    """How much is measured."""

    per_label: int = 24  # excerpts
    labels: int = 12  # the most often given of those that are given often enough, at most
    music: int = 900  # excerpts of the test split that are listened to
    occluded: int = 48  # of the excerpts, those that the black-box rule is asked about
    sought: int = 48  # of the excerpts, those whose region is sought by itself; see `sought`
    batch: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(2, self, "per_label", "batch")
        at_least(FEWEST_TAGS, self, "labels")
        at_least(1, self, "music", "occluded")
        at_least(0, self, "sought")


def matches_of(listened: Listened, listener: ShippedListener, options: AdoptedOptions) -> Matches:
    """As many excerpts of every label, each with a host and a third excerpt, in an order in which labels alternate.

    Raises:
        CorpusError: fewer than six labels are given often enough.
    """
    trained = listener.listener
    margins = margins_of(listened.log_odds, trained.threshold_logits, trained.decision)
    maker, rng = Matchmaker(listened, margins), np.random.default_rng(options.seed)
    often = [k for k in maker.labels if min(len(maker.given[k]), len(maker.lacking[k])) >= options.per_label]
    chosen = sorted(often, key=lambda k: -len(maker.given[k]))[: options.labels]
    if len(chosen) < FEWEST_TAGS:
        raise CorpusError(
            f"{len(chosen)} labels are given to {options.per_label} excerpts and clearly refused to as many, "
            f"{FEWEST_TAGS} are wanted: give more music, or ask for fewer excerpts of each"
        )
    rows = np.stack([rng.choice(maker.given[k], options.per_label, replace=False) for k in chosen], axis=1).ravel()
    labels = np.tile(chosen, options.per_label)
    host, third = (np.array([maker.other(k, row, rng) for k, row in zip(labels, rows, strict=True)]) for _ in range(2))
    return Matches(rows, host, third, labels)


class AdoptedJudge:
    """Explanations of one listener, under examination."""

    def __init__(
        self,
        shipped: ShippedListener,
        listened: Listened,
        matches: Matches,
        options: AdoptedOptions,
        progress: Progress,
    ) -> None:
        self.shipped, self.listened, self.matches = shipped, listened, matches
        self.options, self.progress = options, progress
        trained = shipped.listener
        self.margins = margins_of(listened.log_odds, trained.threshold_logits, trained.decision)

    @torch.inference_mode()
    def ranked(self, rule: str, count: int) -> tuple[Tensor, Tensor]:
        """Ranks `[count, T, M]` of the first excerpts' bins, and how many of each the rule itself keeps, `[count]`."""
        parts, counts = [], []
        for rows in self._batches(rule, count):
            relevance = torch.cat(
                [
                    self.shipped.relevance(rule, self._log_mel(self.matches.row[[row]]), self._label([row]))
                    for row in rows
                ]
            )
            counts.append((relevance >= self.shipped.alphas[rule]).sum(dim=(1, 2)).clamp(min=1))
            parts.append(ranks(relevance))
        return torch.cat(parts), torch.cat(counts)

    @torch.inference_mode()
    def default(self, ranked: Tensor, counts: Tensor) -> Values:
        """Every measure of the default's own regions, and of the controls."""
        rng, found = np.random.default_rng((self.options.seed, 1)), defaultdict(list)
        for rows in self._batches("exchange", len(counts)):
            log_mel, region = self._log_mel(self.matches.row[rows]), first_bins(ranked[rows], counts[rows]).float()
            host = at_level_of(log_mel, self._log_mel(self.matches.host[rows]))
            noise = rng.standard_normal(log_mel.shape)
            smooth = gaussian_filter(noise, (0.0, *(size / SMOOTHING for size in log_mel.shape[1:])))
            controls = {
                "random": first_bins(ranks(torch.from_numpy(smooth)), counts[rows]).float(),
                "shifted": shifted(region),
                "other": first_bins(ranked[self._other(rows)], counts[rows]).float(),
            }
            values = self._measures(region, rows) | {"baseline_called": self._gives(host, rows)}
            values |= {
                f"control_{name}": self._gives(exchanged(log_mel, each, host), rows) for name, each in controls.items()
            }
            for name, value in values.items():
                found[name].append(value)
        return {name: torch.cat(parts).double().numpy() for name, parts in found.items()}

    def sought(self, listener: Listener, counts: Tensor) -> Tensor:
        """Scores `[N, T, M]` of the first excerpts, whose regions, of `counts` `[N]` bins, are sought; see `sought`."""
        count, bins = len(counts), int(np.prod(listener.picture))
        maker = Matchmaker(self.listened, self.margins)
        parts = []
        for rows in self._batches("sought", count):
            own = Matches(*(getattr(self.matches, name)[rows] for name in ("row", "host", "third", "label")))
            parts.append(sought(listener, maker, own, counts[rows].numpy() / bins, SoughtOptions()))
        return torch.cat(parts)

    @torch.inference_mode()
    def beside(self, ranked: Tensor, counts: Tensor) -> Values:
        """`carried`, `silhouette` and `removed_flips` of some bins in the order of their ranks."""
        found = defaultdict(list)
        for rows in self._batches("rules beside it", len(ranked)):
            region = first_bins(ranked[rows], counts[rows]).float()
            for name, value in self._measures(region, rows).items():
                found[name].append(value)
        return {name: torch.cat(parts).double().numpy() for name, parts in found.items()}

    def summary(self, values: Values) -> dict[str, object]:
        """Means with intervals, recordings drawn; labels count alike, for there are as many excerpts of each."""
        return self._summary(values, self.matches.row[: len(next(iter(values.values())))])

    def clearly(self, values: Values) -> dict[str, object]:
        """The same of the excerpts that have their label as clearly as a host has it not."""
        clear = (self.margins[self.matches.row, self.matches.label] >= SURE).numpy()
        if not clear.any():
            return {"n": 0}
        return self._summary({name: value[clear] for name, value in values.items()}, self.matches.row[clear])

    def _summary(self, values: Values, row: NDArray[np.int64]) -> dict[str, object]:
        count, track = len(row), np.unique(self.listened.track[row], return_inverse=True)[1]
        document: dict[str, object] = {"n": count, "files": int(track.max()) + 1}
        document |= {
            name: mean_interval(value, track) for name, value in values.items() if not name.startswith("control_")
        }
        if f"control_{CONTROLS[0]}" in values:
            document["controls"] = {name: mean_interval(values[f"control_{name}"], track) for name in CONTROLS}
        return document

    def _measures(self, region: Tensor, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        log_mel = self._log_mel(self.matches.row[rows])
        host, third = (
            at_level_of(log_mel, self._log_mel(each[rows])) for each in (self.matches.host, self.matches.third)
        )
        return {
            "carried": self._gives(exchanged(log_mel, region, host), rows),
            "silhouette": self._gives(exchanged(third, region, host), rows),
            "removed_flips": ~self._gives(exchanged(host, region, log_mel), rows),
        }

    def _gives(self, log_mel: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """`[B]` whether each of `log_mel` `[B, T, M]` is given the label of the excerpt of its row."""
        trained = self.shipped.listener
        said = self.shipped.network(trained.standardise(log_mel))
        margins = margins_of(said, trained.threshold_logits, trained.decision)
        return margins.gather(1, self._label(rows).long())[:, 0] >= 0

    def _other(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each row another with its label: labels alternate, so the next of them is so many rows further."""
        labels, count = len(np.unique(self.matches.label)), len(self.matches.row)
        return (rows + labels) % count

    def _log_mel(self, rows: NDArray[np.int64]) -> Tensor:
        return self.listened.log_mel[rows]

    def _label(self, rows: NDArray[np.int64] | list[int]) -> Tensor:
        return torch.from_numpy(self.matches.label[rows].astype(np.int32)).unsqueeze(1)

    def _batches(self, what: str, count: int) -> Iterable[NDArray[np.int64]]:
        for first in self.progress(range(0, count, self.options.batch), what):
            yield np.arange(first, min(count, first + self.options.batch))

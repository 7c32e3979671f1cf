"""The explanation loss: does the region alone keep the label, and does it, when it is taken away (EUSIPCO 2018, III.C).

The paper's curves over its threshold α; beside every point, regions of the same area that explain nothing; every rule
at the same areas. The rule that is served by default is looked at more closely in `default_rule`. Labels are the
detector's own, so nothing here depends on who is right about the singing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.explanation.controls import CONTROLS, first_bins, ranks
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.rates import Rates
from phonoscope_trainer.graphs.description import EXCERPT
from phonoscope_trainer.graphs.mask import M1, M2
from phonoscope_trainer.graphs.rules import ALPHAS

MASKINGS = {"m1": M1, "m2": M2}

Progress = Callable[[Iterable[Excerpts], int, str], Iterable[Excerpts]]  # batches, how many, and what is measured
# The label of what is heard: samples of the excerpts' regions, masks `[B, T, M]` → whether it is vocal `[B]`.
HeardLabel = Callable[[Excerpts, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How much is measured."""

    excerpts: int = 3000  # of each corpus, half of each class
    control_excerpts: int = 600  # of them, those on which controls are measured over α, and all rules at equal areas
    alphas: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1)
    areas: tuple[float, ...] = (0.15, 0.3, 0.45)  # at which all rules are compared
    outside_db: float = 25.0  # how far what is outside the region is attenuated when an explanation is heard
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("excerpts", "control_excerpts"):
            if getattr(self, name) < 4:
                raise OptionsError(f"{name} must be at least 4, two of each class, got {getattr(self, name)}")
        if not self.outside_db >= 0:
            raise OptionsError(f"outside_db must be at least 0, got {self.outside_db:g}")


class Tally:
    """Values of many excerpts under several names, batch by batch."""

    def __init__(self) -> None:
        self._parts: defaultdict[tuple[object, ...], list[Tensor]] = defaultdict(list)

    def add(self, values: Tensor, *name: object) -> None:
        """Count one batch's `values` `[B]`."""
        self._parts[name].append(values)

    def of(self, *name: object) -> NDArray[np.generic]:
        """All of them, `[N]`."""
        return np.asarray(torch.cat(self._parts[name]).numpy())


@dataclass(frozen=True, slots=True)
class Judge:
    """A detector and its explanations, under examination."""

    detector: ExplainedDetector
    heard_label: HeardLabel
    options: LossOptions
    progress: Progress

    @property
    def rule(self) -> str:
        """The rule served by default."""
        found = self.detector.relevances(torch.zeros(1, *EXCERPT))
        return next(rule for rule in ALPHAS if rule in found)

    @torch.inference_mode()
    def paper(self, excerpts: Excerpts) -> dict[str, list[dict[str, object]]]:
        """The paper's rule over α, for M1 and M2; controls on some of the excerpts."""
        tally, some = Tally(), excerpts.some(self.options.control_excerpts)
        for batch in self.batches(excerpts, "α"):
            value = self.detector.relevances(self.detector.standardise(batch.log_mel))["inversion"]
            for alpha in self.options.alphas:
                region = value >= alpha
                tally.add(region.float().mean(dim=(1, 2)), alpha, "area")
                for name, masking in MASKINGS.items():
                    tally.add(self.changed(batch, region, masking), alpha, name, "loss")
        for batch in self.batches(some, "α, controls"):
            value = self.detector.relevances(self.detector.standardise(batch.log_mel))["inversion"]
            controls = self.controls(batch)
            for alpha in self.options.alphas:
                region = value >= alpha
                counts = region.sum(dim=(1, 2))
                for name, masking in MASKINGS.items():
                    tally.add(self.changed(batch, ~region, masking), alpha, name, "removed")
                    for control, ranked in controls.items():
                        changed = self.changed(batch, first_bins(ranked, counts), masking)
                        tally.add(changed, alpha, name, control)
        rates, some_rates = Rates.of(excerpts), Rates.of(some)
        return {
            name: [self._point(tally, alpha, name, rates, some_rates) for alpha in self.options.alphas]
            for name in MASKINGS
        }

    def _point(self, tally: Tally, alpha: float, name: str, rates: Rates, some: Rates) -> dict[str, object]:
        """One α: pooled as in the paper, and class-balanced."""
        document: dict[str, object] = {"alpha": alpha}
        weightings = (("pooled", rates.pooled, some.pooled), ("class_balanced", rates.balanced, some.balanced))
        for weighting, of_all, of_some in weightings:
            figures = {
                "area": of_all(tally.of(alpha, "area"))["mean"],
                "loss": of_all(tally.of(alpha, name, "loss")),
                "removed_flips": of_some(tally.of(alpha, name, "removed")),
                "controls": {control: of_some(tally.of(alpha, name, control)) for control in CONTROLS},
            }
            document |= figures if weighting == "pooled" else {weighting: figures}
        return document | {
            "per_class": rates.per_class(tally.of(alpha, name, "loss")),
            "n": len(rates.track),
            "control_n": len(some.track),
        }

    @torch.inference_mode()
    def at_equal_area(self, excerpts: Excerpts) -> dict[str, list[dict[str, object]]]:
        """Every rule and every control at the same areas, class-balanced: M1."""
        tally, some = Tally(), excerpts.some(self.options.control_excerpts)
        names: tuple[str, ...] = ()
        for batch in self.batches(some, "equal areas"):
            relevances = self.detector.relevances(self.detector.standardise(batch.log_mel))
            controls = self.controls(batch)
            ranked = {rule: ranks(relevance) for rule, relevance in relevances.items()} | controls
            names = tuple(ranked)
            for area in self.options.areas:
                counts = torch.full((len(batch),), round(area * batch.log_mel[0].numel()))
                for name in names:
                    region = first_bins(ranked[name], counts)
                    tally.add(self.changed(batch, region, M1), area, name, "loss")
                    tally.add(self.changed(batch, ~region, M1), area, name, "removed")
        rates = Rates.of(some)
        return {
            name: [
                {
                    "area": area,
                    "n": len(some),
                    "loss": rates.balanced(tally.of(area, name, "loss")),
                    "removed_flips": rates.balanced(tally.of(area, name, "removed")),
                }
                for area in self.options.areas
            ]
            for name in names
        }

    def batches(self, excerpts: Excerpts, what: str) -> Iterable[Excerpts]:
        """All of them, some at a time, beside a progress bar that says `what` is measured."""
        rows = self.options.batch
        return self.progress(excerpts.batches(rows), -(-len(excerpts) // rows), what)

    def controls(self, batch: Excerpts) -> dict[str, Tensor]:
        """Control → ranks of the bins; what is drawn depends on where the batch begins, so a rerun draws the same."""
        rng = np.random.default_rng((self.options.seed, *batch.track[:1], *batch.first_frame[:1]))
        return {name: ranks(control(batch.log_mel, rng)) for name, control in CONTROLS.items()}

    def changed(self, batch: Excerpts, region: Tensor, masking: int) -> Tensor:
        """`[B]` whether the label changes when only `region` `[B, T, M]` is left; a whole excerpt keeps its own."""
        partial = ~region.flatten(1).all(dim=1)
        changed = torch.zeros(len(batch), dtype=torch.bool)
        if partial.any():
            left = masked(batch.log_mel[partial], region[partial], masking, self.detector)
            changed[partial] = self.detector.is_vocal(left) != torch.from_numpy(batch.is_vocal)[partial]
        return changed


def masked(log_mel: Tensor, region: Tensor, masking: int, detector: ExplainedDetector) -> Tensor:
    """What the detector gets of `log_mel` `[B, T, M]` (M1: standardised, then masked; M2: the other way round)."""
    if masking == M2:
        raw: Tensor = detector.standardise(log_mel * region)
        return raw
    standardised: Tensor = detector.standardise(log_mel)
    return standardised * region

"""What less precision changes: labels, regions, what regions keep, and the curves of whole tracks.

Everything is compared with the same bundle in ONNX Runtime, in float32: labels and regions are its own, so nothing here
depends on who is right about the singing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.loss import Tally, masked
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.graphs.mask import M1
from phonoscope_trainer.graphs.rules import ALPHAS

Progress = Callable[[Iterable[Excerpts], int, str], Iterable[Excerpts]]  # batches, how many, and what is measured
CURVE_HOP_FRAMES = 14  # five points a second
LEAST_LIKE = 5  # per cent of regions that are less like those of float32 than `region_iou_low`


@dataclass(frozen=True, slots=True)
class PrecisionOptions:
    """How much is compared."""

    excerpts: int = 1000  # of each corpus, half of each label
    tracks: int = 8  # of each corpus, whose curves are compared
    track_s: float = 60.0  # of each, at most
    batch: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("excerpts", 4), ("tracks", 1), ("track_s", 2), ("batch", 1)):
            if getattr(self, name) < least:
                raise OptionsError(f"{name} must be at least {least}, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Explained:
    """What a detector says of some excerpts, and of their regions by the rule that is served by default."""

    vocal: Tensor  # `[B]` bool
    region: Tensor  # `[B, T, M]` bool
    changed: Tensor  # `[B]` bool: the region alone has another label (EUSIPCO 2018, equation 5)

    @classmethod
    def of(cls, log_mel: Tensor, detector: ExplainedDetector) -> Explained:
        """What `detector` says of `log_mel` `[B, T, M]`."""
        standardised = detector.standardise(log_mel)
        relevances = detector.relevances(standardised)
        rule = next(rule for rule in ALPHAS if rule in relevances)
        region, vocal = relevances[rule] >= ALPHAS[rule], detector.is_vocal(standardised)
        return cls(vocal, region, detector.is_vocal(masked(log_mel, region, M1, detector)) != vocal)

    @property
    def area(self) -> Tensor:
        """`[B]` share of the bins that lie in the region."""
        return self.region.float().mean(dim=(1, 2))

    def iou(self, other: Explained) -> Tensor:
        """`[B]` intersection over union with the regions of another; 1 where both are empty."""
        both, either = ((each).sum(dim=(1, 2)) for each in (self.region & other.region, self.region | other.region))
        return torch.where(either > 0, both / either.clamp(min=1), 1.0)


@torch.inference_mode()
def compare_excerpts(
    exact: ExplainedDetector,
    others: Mapping[str, ExplainedDetector],
    excerpts: Excerpts,
    options: PrecisionOptions,
    progress: Progress,
) -> dict[str, dict[str, float]]:
    """Name of a precision → what it changes.

    Args:
        exact: the same bundle in float32, by ONNX Runtime.
        others: it in each precision.
        excerpts: that are explained.
        options: how many are explained at once.
        progress: a bar beside the batches.
    """
    tally, batches = Tally(), excerpts.batches(options.batch)
    for batch in progress(batches, -(-len(excerpts) // options.batch), "regions"):
        true = Explained.of(batch.log_mel, exact)
        tally.add(true.changed.float(), "exact", "changed")
        tally.add(true.area, "exact", "area")
        for name, detector in others.items():
            found = Explained.of(batch.log_mel, detector)
            tally.add((found.vocal != true.vocal).float(), name, "labels")
            tally.add(found.changed.float(), name, "changed")
            tally.add(found.area, name, "area")
            tally.add(found.iou(true), name, "iou")

    def mean(*name: str) -> float:
        return float(tally.of(*name).astype(float).mean())

    return {
        name: {
            "labels_changed": mean(name, "labels"),
            "loss": mean(name, "changed"),
            "loss_float32": mean("exact", "changed"),
            "loss_difference": abs(mean(name, "changed") - mean("exact", "changed")),
            "area": mean(name, "area"),
            "area_float32": mean("exact", "area"),
            "region_iou": mean(name, "iou"),
            "region_iou_low": float(np.percentile(tally.of(name, "iou").astype(float), LEAST_LIKE)),
        }
        for name in others
    }


@torch.inference_mode()
def compare_curves(
    exact: ExplainedDetector,
    others: Mapping[str, ExplainedDetector],
    tracks: Sequence[Features],
    options: PrecisionOptions,
) -> dict[str, dict[str, float]]:
    """Name of a precision → how far the curves of some tracks are from those in float32, in probability.

    Args:
        exact: the bundle in float32, by ONNX Runtime.
        others: it in each precision.
        tracks: of which the first few are heard, an excerpt every `CURVE_HOP_FRAMES`.
        options: how many, and how much of each.
    """
    most = round(options.track_s * FRONTEND.frames_per_second)
    places = [
        (track, first)
        for track, heard in enumerate(tracks[: options.tracks])
        for first in range(0, min(len(heard.labels), most) - EXCERPT_FRAMES, CURVE_HOP_FRAMES)
    ]
    curves: dict[str, list[Tensor]] = {name: [] for name in ("", *others)}
    for begin in range(0, len(places), options.batch):
        excerpts = log_mel_at(tracks, places[begin : begin + options.batch], Frontend(FRONTEND))
        for name, detector in (("", exact), *others.items()):
            curves[name].append(detector.logits(detector.standardise(excerpts)).sigmoid())
    whole = {name: torch.cat(parts) for name, parts in curves.items()}
    return {
        name: {
            "curve_difference": float((whole[name] - whole[""]).abs().mean()),
            "curve_difference_most": float((whole[name] - whole[""]).abs().max()),
            "curve_points": len(places),
        }
        for name in others
    }

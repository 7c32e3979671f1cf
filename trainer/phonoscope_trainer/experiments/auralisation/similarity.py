"""How sensitive features are to key, chord and instrument (Choi et al. 2016, section 4.2 and Fig. 10; Table 1).

Every feature of every layer is deconvolved for every model signal. Two signals that differ in one attribute alone give
two pictures of the same feature; the more these correlate, the less the feature cares for that attribute.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.experiments.auralisation.many_features import ManyFeatures
from phonoscope_trainer.experiments.auralisation.model_signals import ATTRIBUTES, ModelSignal
from phonoscope_trainer.frontends.linear import LinearStftOptions
from phonoscope_trainer.networks.stages import Stage, extents
from phonoscope_trainer.writing import written_whole

SMALLEST_SPREAD = 1e-6  # of a picture's values: one without any correlates with nothing
FEATURES_AT_ONCE = 16  # bounds the memory: their pictures of all signals, 1.6 GB, are held together


@dataclass(frozen=True, slots=True)
class Correlations:
    """`values[layer]` `[features, S, S]`: correlations between the pictures of signals; NaN where one is empty."""

    values: Mapping[str, NDArray[np.float32]]
    seconds: float  # that all this took, over all interruptions


def correlations(network: ManyFeatures, pictures: Tensor, features: int, folder: Path) -> Correlations:
    """Correlations of every feature's deconvolved pictures, by layer.

    Args:
        network: deconvolves.
        pictures: `[S, T, F]`, what the network sees of each signal.
        features: of each layer.
        folder: where finished features are kept, so that a killed run goes on; of this network and these signals.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts, seconds = [], 0.0
    groups = [range(first, min(first + FEATURES_AT_ONCE, features)) for first in range(0, features, FEATURES_AT_ONCE)]
    with tqdm(total=len(groups) * len(pictures), desc="model signals", unit="signal", smoothing=0.05) as bar:
        for group in groups:
            file = folder / f"features-{group.start:02d}-{group.stop - 1:02d}.npz"
            if not file.exists():
                _save(file, *_group(network, pictures, group, bar))
            else:
                bar.update(len(pictures))
            with np.load(file) as found:
                parts.append({layer: found[layer] for layer in network.layers})
                seconds += float(found["seconds"])
    return Correlations({layer: np.concatenate([part[layer] for part in parts]) for layer in network.layers}, seconds)


def correlation_matrix(pictures: Tensor) -> Tensor:
    """`[S, S]` Pearson correlations of `pictures` `[S, P]`; NaN where one of two has no spread."""
    centred = pictures.float() - pictures.float().mean(dim=1, keepdim=True)
    length = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    flat = length < SMALLEST_SPREAD * centred.shape[1] ** 0.5
    unit = torch.where(flat, torch.nan, centred / length)
    return unit @ unit.T


def by_attribute(matrices: NDArray[np.float32], signals: Sequence[ModelSignal]) -> dict[str, dict[str, float]]:
    """`mean` and `std` of `matrices` `[features, S, S]` over features and over pairs that differ in one attribute."""
    summary = {}
    for attribute in ATTRIBUTES:
        pairs = [
            (first, second)
            for first, second in combinations(range(len(signals)), 2)
            if signals[first].differs_only_in(signals[second]) == attribute
        ]
        first, second = np.array(pairs).T
        values = matrices[:, first, second]
        values = values[np.isfinite(values)].astype(np.float64)
        summary[attribute] = {"mean": float(values.mean()), "std": float(values.std()), "pairs": len(pairs)}
    return summary


def silent_share(matrices: NDArray[np.float32]) -> float:
    """The share of pictures `[features, S, S]` that are empty: the feature does not answer to the signal at all."""
    return float(np.isnan(np.diagonal(matrices, axis1=1, axis2=2)).mean())


def effective_sizes(stages: Sequence[Stage], options: LinearStftOptions) -> dict[str, dict[str, float]]:
    """Table 1: `width_ms` and `height_hz` under each layer's kernel, and of its whole receptive field.

    A kernel that spans n frames hears from the first sample of the first to the last of the last. A bin's main lobe
    reaches one bin to either side, so n bins are n + 1 wide.
    """

    def size(positions: int, prefix: str) -> dict[str, float]:
        samples = (positions - 1) * options.hop_samples + options.frame_samples
        return {
            f"{prefix}width_ms": round(1000 * samples / options.sample_rate_hz, 1),
            f"{prefix}height_hz": round((positions + 1) * options.bin_hz, 1),
        }

    return {name: size(each.kernel, "") | size(each.field, "field_") for name, each in extents(stages).items()}


def _group(
    network: ManyFeatures, pictures: Tensor, group: Sequence[int], bar: tqdm[None]
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """Correlations of some features, by layer, and the seconds they took."""
    began_s = time.perf_counter()
    held = {layer: torch.empty(len(group), *pictures.shape, dtype=torch.float16) for layer in network.layers}
    for number, picture in enumerate(pictures):
        for layer, found in network.of(picture, group):
            # Correlation does not see a picture's scale; float16 does.
            held[layer][:, number] = found / found.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-30)
        bar.update()
    matrices = {
        layer: np.stack([correlation_matrix(each.flatten(1)).numpy() for each in found])
        for layer, found in held.items()
    }
    return matrices, time.perf_counter() - began_s


def _save(file: Path, matrices: Mapping[str, NDArray[np.float32]], seconds: float) -> None:
    arrays: dict[str, Any] = {"seconds": np.array(seconds), **matrices}
    with written_whole(file) as unfinished, unfinished.open("wb") as opened:
        np.savez(opened, **arrays)

"""Filters of a first layer before and after training (Choi et al. 2015, section 4.1 and Fig. 2).

The paper sees vertical edge detectors in the trained ones. A kernel is one where it is a rise or a fall along time that
is the same at every frequency: where much of its energy is left when it is averaged over frequency and its mean over
time is taken away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from phonoscope_trainer.networks.tagger import Tagger

EDGE_SHARE = 0.25  # of a kernel's energy: white noise of 12 × 12 has about 1/13, a pure edge has 1
COLUMNS = 16
DPI = 110


def edges(network: Tagger) -> dict[str, float]:
    """How many first-layer kernels are `vertical` edges (onsets) and `horizontal` (harmonics); mean energy shares."""
    kernels = _kernels(network)
    vertical, horizontal = (_edge_share(kernels, axis) for axis in (1, 2))
    return {
        "filters": len(kernels),
        "vertical": int((vertical > EDGE_SHARE).sum()),
        "horizontal": int((horizontal > EDGE_SHARE).sum()),
        "mean_vertical_share": float(vertical.mean()),
        "mean_horizontal_share": float(horizontal.mean()),
    }


def draw(before: Tagger, after: Tagger, path: Path) -> None:
    """Fig. 2: every filter before (left) and after (right), time to the right and frequency upwards."""
    figure = Figure((11, 3.2), layout="constrained")
    for axes, network, title in zip(
        figure.subplots(1, 2), (before, after), ("before training", "after training"), strict=True
    ):
        kernels = _kernels(network)
        scale = np.abs(kernels).max(axis=(1, 2), keepdims=True)
        framed = np.pad((kernels / scale).transpose(0, 2, 1)[:, ::-1], ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
        rows = len(framed) // COLUMNS
        grid = framed[: rows * COLUMNS].reshape(rows, COLUMNS, *framed.shape[1:])
        axes.imshow(np.block([list(row) for row in grid]), cmap="gray", vmin=-1, vmax=1)
        axes.set(title=title, xticks=[], yticks=[])
    figure.savefig(path, dpi=DPI)


def _kernels(network: Tagger) -> NDArray[np.float64]:
    """`[64, time, frequency]`."""
    weight = network.get_parameter("conv1.weight")
    return weight.detach().double().numpy()[:, 0]


def _edge_share(kernels: NDArray[np.float64], along: int) -> NDArray[np.float64]:
    """Share of each kernel's energy in what changes along axis `along` (1 time, 2 frequency) alone."""
    other = 3 - along
    profile = kernels.mean(axis=other, keepdims=True)
    profile = profile - profile.mean(axis=along, keepdims=True)
    return np.asarray(np.square(profile).sum(axis=(1, 2)) * kernels.shape[other] / np.square(kernels).sum(axis=(1, 2)))

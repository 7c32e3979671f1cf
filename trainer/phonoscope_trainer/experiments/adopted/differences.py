"""How far an adopted musicnn is from its checkpoint in NumPy, and its gradient graph from automatic differentiation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.experiments.adopted import reference
from phonoscope_trainer.experiments.adopted.shipped import ShippedListener
from phonoscope_trainer.graphs.gradient import smoothed
from phonoscope_trainer.graphs.translation.network import Translated
from phonoscope_trainer.networks.musicnn import musicnn_of, read_arrays
from phonoscope_trainer.repository.shipped_graphs import constants_of
from phonoscope_trainer.repository.whole_graph import read_graph


def of_tags(shipped: ShippedListener, samples: Tensor, checkpoint: Path) -> float:
    """The largest difference of any tag's probability, over excerpts `[B, N]`, from sound on."""
    arrays = read_arrays(checkpoint)
    picture = shipped.frontend.run(["standardised"], {"samples": samples.numpy()})[0]
    found = torch.sigmoid(shipped.network(torch.from_numpy(picture))).double().numpy()
    expected = np.stack([reference.tags(each, arrays) for each in samples.numpy()])
    return float(np.abs(found - expected).max())


@dataclass(frozen=True, slots=True)
class GradientDifferences:
    """Between the exported rule `gradient` and the same of float64 autograd, each excerpt by itself, `[B]`.

    Root mean square of what differs over that of the relevance from its neutral ½. As it is served, in float32, some
    excerpts differ much: where a rectifier or a pool hangs between two choices float32 may take the other, and all bins
    that it hears jump. In double precision the graph's own operators take the same choices, and what is left is its
    arithmetic.
    """

    served: Tensor
    doubled: Tensor | None  # None: it holds operators that are not translated to torch


def of_gradients(
    shipped: ShippedListener, log_mel: Tensor, label: Tensor, root: Path, checkpoint: Path
) -> GradientDifferences:
    """How far the gradient of the bundle at `root` is.

    Args:
        shipped: with a rule `gradient`.
        log_mel: `[B, T, M]`.
        label: int32 `[B, 1]`.
        root: of its bundle.
        checkpoint: of the network.
    """
    network = musicnn_of(read_arrays(checkpoint)).double()
    excerpt = shipped.listener.standardise(log_mel)
    found = torch.cat([shipped.relevance("gradient", log_mel[[row]], label[[row]]) for row in range(len(log_mel))])
    baseline = torch.from_numpy(np.array(constants_of(root, "gradient")["baseline"], np.float64))
    doubled = excerpt.double().requires_grad_()
    (gradient,) = torch.autograd.grad(network(doubled).gather(1, label.long()).sum(), doubled)
    speaks_for = smoothed((excerpt.double() - baseline) * gradient)
    expected = 0.5 * speaks_for / speaks_for.abs().amax(dim=(1, 2), keepdim=True)
    again = in_double_precision(root, excerpt, label)
    return GradientDifferences(_apart(found, expected), None if again is None else _apart(again, expected))


@torch.no_grad()
def in_double_precision(root: Path, excerpt: Tensor, label: Tensor) -> Tensor | None:
    """`[B, T, M]` the relevance that the bundle's own graph `gradient` gives of pictures, computed in float64."""
    try:
        graph = Translated(read_graph(root / "gradient" / "1" / "model.onnx")).double()
    except ExportError:
        return None
    rows = [
        graph(excerpt[[row]].double(), label[[row]], torch.full_like(label[[row]], -1)) for row in range(len(label))
    ]
    return torch.cat(rows)


def _apart(found: Tensor, expected: Tensor) -> Tensor:
    apart = (found.double() - 0.5 - expected).square().mean(dim=(1, 2)).sqrt()
    relative: Tensor = apart / expected.square().mean(dim=(1, 2)).sqrt()
    return relative

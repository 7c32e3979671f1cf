"""How far an adopted musicnn is from its checkpoint in NumPy, and its gradient graph from automatic differentiation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.experiments.adopted import reference
from phonoscope_trainer.experiments.adopted.shipped import ShippedListener
from phonoscope_trainer.graphs.gradient import smoothed
from phonoscope_trainer.networks.musicnn import musicnn_of, read_arrays
from phonoscope_trainer.repository.shipped_graphs import constants_of


def of_tags(shipped: ShippedListener, samples: Tensor, checkpoint: Path) -> float:
    """The largest difference of any tag's probability, over excerpts `[B, N]`, from sound on."""
    arrays = read_arrays(checkpoint)
    picture = shipped.frontend.run(["standardised"], {"samples": samples.numpy()})[0]
    found = torch.sigmoid(shipped.network(torch.from_numpy(picture))).double().numpy()
    expected = np.stack([reference.tags(each, arrays) for each in samples.numpy()])
    return float(np.abs(found - expected).max())


def of_gradients(shipped: ShippedListener, log_mel: Tensor, label: Tensor, root: Path, checkpoint: Path) -> Tensor:
    """`[B]` between the exported rule `gradient` and the same of float64 autograd, each excerpt by itself.

    Root mean square of what differs over that of the relevance from its neutral ½. Where a rectifier or a pool hangs
    between two choices float32 may take the other, and all bins that it hears jump; so excerpts differ much.

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
    apart = (found.double() - 0.5 - expected).square().mean(dim=(1, 2)).sqrt()
    relative: Tensor = apart / expected.square().mean(dim=(1, 2)).sqrt()
    return relative

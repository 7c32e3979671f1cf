"""`MTT_vgg` of musicnn 0.1.0 (Pons & Serra 2019; ISC): fifty tags of MagnaTagATune from three seconds of music.

    [B, 187, 96] ─ norm ─ conv1 ─ pool1 ─ … ─ conv5 ─ pool5 [B, 128, 2, 1] ─ logits [B, 50]

Every convolution is 3×3 with zero padding, then a rectifier, then batch normalisation. The first pool is 4 × 1 bins and
moves by 2 × 2: frames overlap, and every other band is left out. 607 030 parameters, batch statistics included.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.networks.tensorflow_checkpoint import read_checkpoint

FRAMES, BANDS = 187, 96
FILTERS = 128
EPSILON = 1e-3  # of every batch normalisation: TensorFlow's own
POOLS = (((4, 1), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (4, 4)))  # size, step
LAYERS = tuple(f"pool{number}" for number in range(1, len(POOLS) + 1))
FLAT = FILTERS * 2
# As the package lists them: the order of the network's outputs.
TAGS = tuple(
    """guitar,classical,slow,techno,strings,drums,electronic,rock,fast,piano,ambient,beat,violin,vocal,synth,female,indian,
opera,male,singing,vocals,no vocals,harpsichord,loud,quiet,flute,woman,male vocal,no vocal,pop,soft,sitar,solo,man,
classic,choir,voice,new age,dance,male voice,female vocal,beats,harp,cello,no voice,weird,country,metal,female voice,
choral""".replace("\n", "").split(",")
)
Arrays = Mapping[str, NDArray[np.float32]]


class MusicnnVgg(nn.Module):
    """The network on log10(1 + 10⁴·mel) `[B, 187, 96]`."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, EPSILON)
        for number in range(1, len(POOLS) + 1):
            self.add_module(f"conv{number}", nn.Conv2d(1 if number == 1 else FILTERS, FILTERS, 3, padding=1))
            self.add_module(f"norm{number}", nn.BatchNorm2d(FILTERS, EPSILON))
        self.dense = nn.Linear(FLAT, len(TAGS))

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Every layer of `LAYERS` `[B, 128, T', M']`, and `log_odds` `[B, 50]`, of `excerpt` `[B, 187, 96]`."""
        found = {}
        x = self.norm(excerpt.unsqueeze(1))
        for number, (size, step) in enumerate(POOLS, start=1):
            x = self.get_submodule(f"norm{number}")(F.relu(self.get_submodule(f"conv{number}")(x)))
            found[f"pool{number}"] = x = F.max_pool2d(x, size, step)
        # TensorFlow's channels come last.
        return found | {"log_odds": self.dense(x.permute(0, 2, 3, 1).flatten(1))}

    def forward(self, excerpt: Tensor) -> Tensor:
        """Log-odds of each tag, `[B, 50]`, of `excerpt` `[B, 187, 96]`."""
        return self.activations(excerpt)["log_odds"]


def load_musicnn(folder: Path) -> MusicnnVgg:
    """The network of the checkpoint in `folder`, in evaluation mode; see `read_arrays`."""
    return musicnn_of(read_arrays(folder))


def read_arrays(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of the checkpoint in `folder`, `MTT_vgg` of the package, by TensorFlow's names.

    Raises:
        CheckpointError: there is none.
    """
    found = read_checkpoint(folder)
    weights = {name: value for name, value in found.items() if "Adam" not in name and "_power" not in name}
    if "5CNN/kernel" not in weights or weights["dense/kernel"].shape != (FLAT, len(TAGS)):
        raise CheckpointError(f"{folder}: the checkpoint is not that of MTT_vgg")
    return weights


@torch.no_grad()
def musicnn_of(arrays: Arrays) -> MusicnnVgg:
    """The network with weights by TensorFlow's names, in evaluation mode."""
    network = MusicnnVgg()
    for number in range(len(POOLS) + 1):
        norm = network.get_submodule(f"norm{number or ''}")
        name = f"batch_normalization{f'_{number}' if number else ''}"
        for own, theirs in (
            ("weight", "gamma"),
            ("bias", "beta"),
            ("running_mean", "moving_mean"),
            ("running_var", "moving_variance"),
        ):
            getattr(norm, own).copy_(torch.tensor(arrays[f"{name}/{theirs}"]))
        if number:
            convolution = network.get_submodule(f"conv{number}")
            kernel = torch.tensor(arrays[f"{number}CNN/kernel"])  # height, width, in, out
            convolution.get_parameter("weight").copy_(kernel.permute(3, 2, 0, 1))
            convolution.get_parameter("bias").copy_(torch.tensor(arrays[f"{number}CNN/bias"]))
    network.dense.weight.copy_(torch.tensor(arrays["dense/kernel"]).T)
    network.dense.bias.copy_(torch.tensor(arrays["dense/bias"]))
    return network.eval().requires_grad_(requires_grad=False)

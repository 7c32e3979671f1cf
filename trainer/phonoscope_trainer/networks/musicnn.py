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
DEAD = 1e-20  # variance of a filter that has been silent for thousands of batches
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


class LeanMusicnn(nn.Module):
    """The same answers as `MusicnnVgg`'s in half the time, without its layers: what can be differentiated often.

    A third of the filters of the first layers died in training: whatever they hear is below 0. What normalisation makes
    of nothing is a constant, so all of a layer's dead filters together are one map of ones for the next.
    """

    def __init__(self, network: MusicnnVgg) -> None:
        super().__init__()
        self.network = network
        alive = torch.ones(1, dtype=torch.bool)
        for number in range(1, len(POOLS) + 1):
            convolution, norm = (network.get_submodule(f"{kind}{number}") for kind in ("conv", "norm"))
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_var is not None
            weight, before = convolution.weight, alive
            if not bool(before.all()):
                dead = (weight[:, ~before] * self._nothing[~before, None, None]).sum(dim=1, keepdim=True)
                weight = torch.cat([weight[:, before], dead], dim=1)
            alive = norm.running_var > DEAD
            self._remember(number, weight[alive], convolution, norm, alive)
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            assert norm.running_mean is not None
            self._nothing = norm.bias - norm.running_mean * gain
        last = torch.zeros(FILTERS, dtype=torch.bool)
        last[alive] = True
        assert bool(last.all())  # or the dense layer would have to leave some out

    def _remember(
        self, number: int, weight: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d, alive: Tensor
    ) -> None:
        assert convolution.bias is not None
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps))[alive]
        for name, value in {
            "weight": weight.contiguous(memory_format=torch.channels_last),
            "bias": convolution.bias[alive],
            "gain": gain[:, None, None],
            "shift": (norm.bias[alive] - norm.running_mean[alive] * gain)[:, None, None],
        }.items():
            self.register_buffer(f"{name}{number}", value, persistent=False)

    def forward(self, excerpt: Tensor) -> Tensor:
        """Log-odds of each tag, `[B, 50]`, of `excerpt` `[B, 187, 96]`."""
        x = self.network.norm(excerpt.unsqueeze(1))
        for number, (size, step) in enumerate(POOLS, start=1):
            weight = self.get_buffer(f"weight{number}")
            if x.shape[1] < weight.shape[1]:
                x = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
            x = F.relu(F.conv2d(x, weight, self.get_buffer(f"bias{number}"), padding=1))
            x = F.max_pool2d(x * self.get_buffer(f"gain{number}") + self.get_buffer(f"shift{number}"), size, step)
        log_odds: Tensor = self.network.dense(x.permute(0, 2, 3, 1).flatten(1))
        return log_odds

"""Every feature of every layer, deconvolved: what costs days one at a time and minutes side by side.

The way there is walked once a picture, in float32, so that maxima are where they are. The ways back are bfloat16 where
the processor has it, which changes a deconvolved picture by less than a hundredth of itself. A map that is zero
everywhere comes back as zeros.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from phonoscope_trainer.graphs.deconvnet import Deconvnet, Kept, Reached
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes.precision import has_bfloat16


class ManyFeatures:
    """The deconvolved pictures of a tagger's features.

    Args:
        network: folded, in evaluation mode.
        bfloat16: whether the ways back are, where the processor has it; float32 takes about twice as long there.
    """

    def __init__(self, network: Tagger, *, bfloat16: bool = True) -> None:
        self.precision = torch.bfloat16 if bfloat16 and has_bfloat16(torch.device("cpu")) else torch.float32
        self.there = Deconvnet(network.stages())
        self.back = Deconvnet(copy.deepcopy(network).to(self.precision).stages())

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions, first to deepest."""
        return self.there.layers

    @torch.inference_mode()
    def of(self, picture: Tensor, features: Sequence[int]) -> Iterator[tuple[str, Tensor]]:
        """Each layer's name and what these features of it hear of `picture` `[T, F]`: `[len(features), T, F]`."""
        reached = [self._in_precision(at) for at in self.there.reach(picture.unsqueeze(0))]
        for depth, layer in enumerate(self.layers):
            maps = reached[depth].maps
            found = torch.zeros(len(features), *picture.shape)
            awake = [row for row, feature in enumerate(features) if bool(maps[0, feature].any())]
            if awake:
                one_each = torch.eye(maps.shape[1], dtype=torch.bool)[[features[row] for row in awake]]
                kept = [Kept(maps, one_each.unsqueeze(0)) if level == depth else None for level in range(len(reached))]
                found[awake] = self.back.pictures(reached, kept)[0].float()
            yield layer, found

    def _in_precision(self, at: Reached) -> Reached:
        return replace(at, maps=at.maps.to(self.precision), switches=at.switches.to(self.precision))

"""`deconvnet_NETWORK`: what chosen features of a network hear of one picture, any number in one pass.

Each row names a layer and a feature, so that one graph serves every layer and holds every kernel once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.graphs.deconvnet import Deconvnet, Kept, Reached
from phonoscope_trainer.graphs.description import EXCERPT, Graph, TensorSpec
from phonoscope_trainer.networks.stages import Stage
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger

NO_FEATURE = -1.0  # strength of what a layer narrower than the widest lacks: below that of any feature
FEATURES = (TensorSpec("layer", (-1,), "int32"), TensorSpec("feature", (-1,), "int32"))
STRONGEST_ONLY = TensorSpec("strongest_only", (1,), "int32")
HEARD = (TensorSpec("chosen", (-1,), "int32"), TensorSpec("strength", (-1,)))


class FeaturePictures(nn.Module):
    """The deconvnet with features as rows.

    Args:
        stages: the network's, before its fully connected layers.
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        super().__init__()
        self.deconvnet = Deconvnet(stages)
        self.widths = [level.convolution.out_channels for level in self.deconvnet.levels]

    def forward(self, picture: Tensor, layer: Tensor, feature: Tensor, strongest_only: Tensor) -> tuple[Tensor, ...]:
        """What R features hear.

        Args:
            picture: `[1, T, F]` what the network is given.
            layer: int32 `[1, R]` each feature's layer, 0 the first.
            feature: int32 `[1, R]` its number in the layer, from 0; -1 the layer's strongest, -2 the next, and so on.
            strongest_only: int32 `[1, 1]`: 0 keeps whole maps, 1 of each its largest activation alone.

        Returns:
            `heard` `[1, R, T, F]`; `chosen` int32 `[1, R]`, the features' numbers; and `strength` `[1, R]`, the mean
            absolute activation of each over its map.
        """
        reached = self.deconvnet.reach(picture)
        strengths = self.strengths(reached).index_select(0, layer[0].long())
        order = strengths.topk(max(self.widths), dim=1).indices
        ranked = order.gather(1, torch.clamp(-1 - feature[0].long(), min=0).unsqueeze(1))[:, 0]
        chosen = torch.where(feature[0] < 0, ranked, feature[0].long())
        kept: list[Kept | None] = [
            Kept(
                torch.where(strongest_only[:, :, None, None] == 1, largest_alone(at.maps), at.maps),
                rows_that_start(depth, width, layer[0], chosen).to(picture.dtype).unsqueeze(0),
            )
            for depth, (at, width) in enumerate(zip(reached, self.widths, strict=True))
        ]
        heard = self.deconvnet.pictures(reached, kept)
        strength = strengths.gather(1, chosen.unsqueeze(1))[None, :, 0]
        return heard, chosen[None].to(torch.int32), strength

    def strengths(self, reached: Iterable[Reached]) -> Tensor:
        """`[layers, widest]`: how strongly each feature answers, over time and frequency."""
        return torch.stack(
            [
                F.pad(at.maps[0].abs().mean(dim=(1, 2)), (0, max(self.widths) - width), value=NO_FEATURE)
                for at, width in zip(reached, self.widths, strict=True)
            ]
        )


def rows_that_start(depth: int, width: int, layer: Tensor, chosen: Tensor) -> Tensor:
    """Bool `[R, width]`: the map of one layer that each row starts with, rows `layer` `[R]` and `chosen` `[R]`."""
    return (torch.arange(width, device=chosen.device) == chosen[:, None]) & (layer == depth)[:, None]


def largest_alone(maps: Tensor) -> Tensor:
    """The largest value of each map of `[B, C, T, F]` where it is, the first of several; zeros elsewhere."""
    flat = maps.flatten(2)
    alone = torch.arange(flat.shape[2], device=maps.device) == flat.argmax(dim=2, keepdim=True)
    kept: Tensor = torch.where(alone, flat, 0.0).unflatten(2, tuple(maps.shape[2:]))
    return kept


def tagger_pictures_graph(network: Tagger, labels: Sequence[str]) -> Graph:
    """The description of `deconvnet_tagger`; `labels` name the classes."""
    return _graph("deconvnet_tagger", FeaturePictures(network.stages()), CLIP_SHAPE, {"labels": ",".join(labels)})


def detector_pictures_graph(network: SVDNet) -> Graph:
    """The description of `deconvnet_detector`."""
    return _graph("deconvnet_detector", FeaturePictures(network.convolutional_stages()), EXCERPT)


def _graph(
    name: str,
    module: FeaturePictures,
    shape: tuple[int, int],
    parameters: Mapping[str, str] | None = None,
) -> Graph:
    widths = ",".join(map(str, module.widths))
    layer, feature = (torch.tensor([row], dtype=torch.int32) for row in ([0, 1], [2, -1]))  # any trace the same graph
    return Graph(
        name,
        module,
        (TensorSpec("picture", shape), *FEATURES, STRONGEST_ONLY),
        (TensorSpec("heard", (-1, *shape)), *HEARD),
        (torch.ones(1, *shape), layer, feature, torch.zeros(1, 1, dtype=torch.int32)),
        maximum_batch=1,
        parameters={"layers": ",".join(module.deconvnet.layers), "features": widths} | dict(parameters or {}),
    )

"""The masker of any listener: from its layers, a label and the label's gradient to the region that the label rests on.

A decoder as in L-MAC (Paissan, Ravanelli & Subakan 2024) that climbs from the deepest maps, which know what, to those
that know where, and to the picture itself; the label asked about steers every step (Perez et al., FiLM, 2018). How many
steps there are, and how large, follows from the listener's layers. Beside the picture it is shown which way each bin
moves the label: of fifty labels, each met seldom, it would else have to learn that first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.errors import OptionsError

WIDTHS = (48, 32, 24, 16)  # channels of the steps, from the deepest on
FINE_WIDTH = 8  # at the picture's own resolution
FINE_KERNEL = 5  # bins: a gradient is ragged
PICTURES = 3  # see `LabelMasker.pictures`
SMALLEST = 1e-9  # of a gradient's standard deviation: an excerpt that moves nothing shows nothing
FEWEST_POSITIONS = (4, 2)  # frames and bands of a map that still knows where
INITIAL_MASK = 0.6  # value of an untrained masker: most is kept, and what is not needed is let go
Shapes = Mapping[str, tuple[int, ...]]


def seen_layers(layers: Shapes) -> tuple[str, ...]:
    """The layers that a masker looks at, deepest first: the last of each resolution, at most as many as `WIDTHS`.

    Args:
        layers: layer → the shape of its activation without the batch axis, first to last.

    Raises:
        OptionsError: no layer is a map that knows where.
    """
    last: dict[tuple[int, ...], str] = {}
    for name, shape in layers.items():
        if len(shape) == 3 and all(had >= least for had, least in zip(shape[1:], FEWEST_POSITIONS, strict=True)):
            last.pop(shape[1:], None)
            last[shape[1:]] = name
    if not last:
        raise OptionsError("layers: none is a map of several frames and bands, from which a masker could be decoded")
    deepest_first = list(reversed(last.values()))
    if len(deepest_first) <= len(WIDTHS):
        return tuple(deepest_first)
    chosen = torch.linspace(0, len(deepest_first) - 1, len(WIDTHS)).round().long().tolist()
    return tuple(deepest_first[number] for number in chosen)


class LabelMasker(nn.Module):
    """Maps `[B, C, T', M']`, the picture `[B, T, M]` and a label to a mask `[B, T, M]` between 0 and 1.

    Args:
        picture: T and M.
        shapes: of the layers it looks at, deepest first.
        answers: K.
    """

    baseline: Tensor  # `[M]` what says nothing: each band's mean over music

    def __init__(self, picture: tuple[int, int], shapes: Sequence[tuple[int, ...]], answers: int) -> None:
        super().__init__()
        self.picture, self.sizes = picture, [tuple(shape[1:]) for shape in shapes]
        widths = WIDTHS[-len(shapes) :]
        self.beside = nn.ModuleList(nn.Conv2d(shape[0], width, 1) for shape, width in zip(shapes, widths, strict=True))
        self.scales = nn.ModuleList(nn.BatchNorm2d(shape[0]) for shape in shapes)
        self.steps = nn.ModuleList(
            nn.Conv2d(width, after, 3, padding=1)
            for width, after in zip(widths, (*widths[1:], FINE_WIDTH), strict=True)
        )
        self.steer = nn.ModuleList(nn.Linear(answers, 2 * width) for width in widths)
        self.fine = nn.BatchNorm2d(PICTURES)
        self.detail = nn.Conv2d(PICTURES, FINE_WIDTH, FINE_KERNEL, padding=FINE_KERNEL // 2)
        self.refine = nn.Conv2d(FINE_WIDTH, FINE_WIDTH, FINE_KERNEL, padding=FINE_KERNEL // 2)
        self.decide = nn.Conv2d(FINE_WIDTH, 1, 3, padding=1)
        nn.init.normal_(self.decide.weight, std=0.05)
        assert self.decide.bias is not None
        nn.init.constant_(self.decide.bias, float(torch.logit(torch.tensor(INITIAL_MASK))))
        self.register_buffer("baseline", torch.zeros(picture[1]))

    def logits(self, maps: Sequence[Tensor], excerpt: Tensor, gradient: Tensor, weights: Tensor) -> Tensor:
        """The mask before its sigmoid, `[B, T, M]`.

        Args:
            maps: the layers, deepest first.
            excerpt: `[B, T, M]` what the network is given.
            gradient: `[B, T, M]` of what `weights` ask about, with respect to it.
            weights: `[B, K]` 1 for the label asked about, −1 for one that it is contrasted with.
        """
        x = None
        for number, (beside, scale, step, steer) in enumerate(
            zip(self.beside, self.scales, self.steps, self.steer, strict=True)
        ):
            own = beside(scale(maps[number]))
            x = own if x is None else own + _resized(x, self.sizes[number])
            gain, offset = steer(weights)[:, :, None, None].chunk(2, dim=1)
            x = step(F.elu(x * (1 + gain) + offset))
        assert x is not None
        fine = F.elu(_resized(x, self.picture) + self.detail(self.fine(self.pictures(excerpt, gradient))))
        logits: Tensor = self.decide(F.elu(self.refine(fine)))[:, 0]
        return logits

    def forward(self, excerpt: Tensor, gradient: Tensor, weights: Tensor, *maps: Tensor) -> Tensor:
        """The mask, one half where the masker cannot say; slow to reach 0 and 1, as that of `Masker` is."""
        logits = self.logits(maps, excerpt, gradient, weights)
        return (1 + logits / (1 + logits.abs())) / 2

    def pictures(self, excerpt: Tensor, gradient: Tensor) -> Tensor:
        """`[B, 3, T, M]` the excerpt, how much each of its bins moves the label, and how much for it."""
        speaks_for = (excerpt - self.baseline) * gradient
        return torch.stack([excerpt, _in_its_own_units(gradient.abs()), _in_its_own_units(speaks_for)], dim=1)


def _in_its_own_units(picture: Tensor) -> Tensor:
    """Over its standard deviation, excerpt by excerpt: its size says how sure a network is, not where."""
    from_mean = picture - picture.mean(dim=(1, 2), keepdim=True)
    return picture / torch.sqrt((from_mean**2).mean(dim=(1, 2), keepdim=True)).clamp(min=SMALLEST)


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """Linearly between positions: a bin's place within one must not show in the mask."""
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)

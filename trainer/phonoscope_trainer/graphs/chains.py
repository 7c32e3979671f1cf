"""The detector and the generator as chains of layers that know their adjoint."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES
from phonoscope_trainer.graphs.adjoint import Chain, Convolution, Dense, Pool, Reshape, Shuffle
from phonoscope_trainer.networks import gan, svdnet
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

PICTURE = slice(gan.FRAMES_BEFORE, gan.FRAMES_BEFORE + EXCERPT_FRAMES)


class Excerpt(nn.Module):
    """The frames of the generator's picture that are the excerpt, nowhere below the floor."""

    def forward(self, x: Tensor) -> Tensor:
        """Log-mel `[B, 1, 115, 80]` of the picture `[B, 1, 128, 80]`."""
        return torch.clamp(x[:, :, PICTURE], min=gan.LOG_FLOOR)

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:  # noqa: ARG002 - where y is the floor x was below
        """See `Layer`."""
        return F.pad(g * (y > gan.LOG_FLOOR), (0, 0, gan.FRAMES_BEFORE, gan.FRAMES_AFTER))


class Standardised(nn.Module):
    """What the detector is given."""

    def __init__(self, standardise: Standardise) -> None:
        super().__init__()
        self.standardise = standardise

    def forward(self, x: Tensor) -> Tensor:
        """`[B, 1, 115, 80]` of the log-mel `[B, 1, 115, 80]`."""
        standardised: Tensor = self.standardise(x)
        return standardised

    def adjoint(self, g: Tensor, x: Tensor, y: Tensor) -> Tensor:  # noqa: ARG002 - linear
        """See `Layer`."""
        return g / self.standardise.std


def detector_chain(network: SVDNet) -> Chain:
    """A standardised excerpt `[B, 1, 115, 80]` to every layer and `logit`."""

    def convolution(name: str) -> Convolution:
        layer = network.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        return Convolution(layer.weight, layer.bias, svdnet.LEAKY_SLOPE)

    def pool(name: str) -> Pool:
        return Pool(svdnet.CONVOLUTIONS[name][1], svdnet.POOL)

    return Chain(
        {
            "conv1": convolution("conv1"),
            "conv2": convolution("conv2"),
            "mp3": pool("conv2"),
            "conv4": convolution("conv4"),
            "conv5": convolution("conv5"),
            "mp6": pool("conv5"),
            "fc7": Dense(network.fc7, svdnet.LEAKY_SLOPE),
            "fc8": Dense(network.fc8, svdnet.LEAKY_SLOPE),
            "logit": Dense(network.fc9),
        }
    )


def generator_chain(generator: Generator, standardise: Standardise) -> Chain:
    """From z `[B, 128]` to `log_mel` and then `standardised`, both `[B, 1, 115, 80]`.

    The last doubling is not carried out: its four phases stay channels, and the last convolution is one of phases too.
    """
    layers: dict[str, nn.Module] = {
        "seed": Dense(generator.seed, gan.LEAKY_SLOPE),
        "maps": Reshape(gan.SEED_SHAPE),
    }
    for number, doubling in enumerate(generator.doublings, 1):
        assert isinstance(doubling, nn.ConvTranspose2d)
        layers[f"phases{number}"] = doubled(doubling, gan.LEAKY_SLOPE)
        layers[f"maps{number}"] = Shuffle(gan.STRIDE)
    del layers[f"maps{len(generator.doublings)}"]
    layers |= {"last": on_phases(generator.last), "picture": Shuffle(gan.STRIDE)}
    return Chain(layers | {"log_mel": Excerpt(), "standardised": Standardised(standardise)})


def doubled(layer: nn.ConvTranspose2d, slope: float) -> Convolution:
    """A transposed convolution of stride 2 as one of stride 1, whose output `Shuffle(2)` puts in place."""
    assert layer.bias is not None
    assert isinstance(layer.padding, tuple)
    padding = layer.padding

    def operation(x: Tensor) -> Tensor:
        doubled = F.conv_transpose2d(x, layer.weight, None, layer.stride, padding, layer.output_padding)
        return F.pixel_unshuffle(doubled, gan.STRIDE)

    return _convolution(operation, layer.in_channels, layer.bias, padding, slope)


def on_phases(layer: nn.Conv2d) -> Convolution:
    """A convolution as one between maps that `Shuffle(2)` has yet to put in place."""
    assert layer.bias is not None
    assert isinstance(layer.padding, tuple)

    def operation(x: Tensor) -> Tensor:
        return F.pixel_unshuffle(
            F.conv2d(F.pixel_shuffle(x, gan.STRIDE), layer.weight, padding=layer.padding), gan.STRIDE
        )

    return _convolution(operation, layer.in_channels * gan.STRIDE**2, layer.bias, layer.padding)


@torch.no_grad()
def _convolution(
    operation: Callable[[Tensor], Tensor], inputs: int, bias: Tensor, padding: tuple[int, ...], slope: float = 1.0
) -> Convolution:
    """A linear operation that treats every place alike, as a convolution: its kernel is what impulses become.

    Args:
        operation: of `[B, inputs, T, M]`, to maps of the same size, of four phases of each of the `bias` `[O]`.
        inputs: channels.
        bias: one for each output.
        padding: of the original, on the doubled map: how far a place's influence reaches.
        slope: of the rectifier that follows.
    """
    down, right = ((size + 1) // gan.STRIDE for size in padding)
    impulses = bias.new_zeros(inputs, inputs, 2 * down + 1, 2 * right + 1)
    impulses[range(inputs), range(inputs), down, right] = 1
    weight = operation(impulses).transpose(0, 1).flip(2, 3)
    return Convolution(weight, bias.repeat_interleave(gan.STRIDE**2), slope, (down, right))

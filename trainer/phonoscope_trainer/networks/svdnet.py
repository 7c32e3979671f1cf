"""SVDNet, the singing-voice detector (Schlüter & Grill 2015, section 3.2; 1 408 225 parameters).

One set of weights, three ways to run it: on one excerpt, on every ninth frame of a longer one, on every frame of a
track. All are the same convolutions; only the pooling stride and what follows from it differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.folding import folded_state
from phonoscope_trainer.networks.stages import Convolution, Pooling, Stage

LAYERS = ("conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8")  # FC9 gives the logit
CONVOLUTIONS = {"conv1": (1, 64), "conv2": (64, 32), "conv4": (32, 128), "conv5": (128, 64)}
POOLED = {"conv2": "mp3", "conv5": "mp6"}  # convolution → the pool behind it
POOL = 3  # bins and frames per pooled one
FRAMES_PER_STEP = POOL * POOL  # excerpts one pooled step apart start this many frames apart
LEAKY_SLOPE = 0.01
DROPOUT = 0.5
FC7_INPUT = (64, 11, 7)  # (channel, time, frequency) of the last pooled map of one excerpt


class SVDNet(nn.Module):
    """The detector on standardised log-mel; `batch_norm` only helps training and is folded away for export."""

    def __init__(self, *, batch_norm: bool = False) -> None:
        super().__init__()
        for name, (inputs, outputs) in CONVOLUTIONS.items():
            self.add_module(name, nn.Conv2d(inputs, outputs, 3))
            if batch_norm:
                self.add_module(f"{name}_norm", nn.BatchNorm2d(outputs))
        channels, frames, bands = FC7_INPUT
        self.fc7 = nn.Linear(channels * frames * bands, 256)
        self.fc8 = nn.Linear(256, 64)
        self.fc9 = nn.Linear(64, 1)
        self.batch_norm = batch_norm
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(layer.weight)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def stages(self, standardised: Tensor, *, every_frame: bool = False) -> Iterator[tuple[str, Tensor]]:
        """Each layer's name and activation for `standardised` `[B, T, M]`, T >= 115, in order, then the logit's.

        Activations are `[B, C, T', M']`; the fully connected layers are convolutions over the last pooled map, so
        theirs are `[B, C, S, 1]`, one for each of S excerpts: every ninth (T = 115 + 9·(S - 1)), or with
        `every_frame` every one (T = 114 + S). Then pooling keeps its stride in frequency only and what follows is
        dilated in time by 3 and 9, which gives each frame exactly the arithmetic of its own excerpt.
        """
        stride = (1, POOL) if every_frame else (POOL, POOL)
        first, second = (POOL, POOL * POOL) if every_frame else (1, 1)
        x = standardised.unsqueeze(1)
        yield "conv1", (x := self._convolve("conv1", x, 1))
        yield "conv2", (x := self._convolve("conv2", x, 1))
        yield "mp3", (x := F.max_pool2d(x, POOL, stride))
        yield "conv4", (x := self._convolve("conv4", x, first))
        yield "conv5", (x := self._convolve("conv5", x, first))
        yield "mp6", (x := F.max_pool2d(x, POOL, stride, dilation=(first, 1)))
        x = F.dropout(x, DROPOUT, self.training)
        kernel = self.fc7.weight.view(-1, *FC7_INPUT)
        yield (
            "fc7",
            (x := F.leaky_relu(_along_time(x, kernel, self.fc7.bias, second), LEAKY_SLOPE)),
        )
        x = F.dropout(x, DROPOUT, self.training)
        yield "fc8", (x := F.leaky_relu(_pointwise(self.fc8, x), LEAKY_SLOPE))
        x = F.dropout(x, DROPOUT, self.training)
        yield "fc9", _pointwise(self.fc9, x)

    def forward(self, standardised: Tensor, *, every_frame: bool = False) -> Tensor:
        """Logits `[B, S]` of the S excerpts in `standardised` `[B, T, M]`; for one excerpt (T = 115) S is 1."""
        for _, activation in self.stages(standardised, every_frame=every_frame):
            logit = activation
        return logit[:, 0, :, 0]

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Every layer of one excerpt `[B, 115, 80]`: maps `[B, C, T, M]`, features `[B, C]`, and `logit` `[B, 1]`."""
        stages = dict(self.stages(excerpt))
        flat = {name: stages[name].flatten(1) for name in ("fc7", "fc8", "fc9")}
        return {name: flat.get(name, stages[name]) for name in LAYERS} | {"logit": flat["fc9"]}

    def convolutional_stages(self) -> tuple[Stage, ...]:
        """What comes before the fully connected layers, to be walked either way; of a network without `batch_norm`."""
        assert not self.batch_norm  # its stages are those of `folded()`
        found: list[Stage] = []
        for name in CONVOLUTIONS:
            layer = self.get_submodule(name)
            assert isinstance(layer, nn.Conv2d)
            found.append(Convolution(name, layer, LEAKY_SLOPE))
            if name in POOLED:
                found.append(Pooling(POOLED[name], POOL))
        return tuple(found)

    def folded(self) -> SVDNet:
        """The same function and architecture without batch normalisation: its statistics go into the kernels."""
        plain = SVDNet()
        plain.load_state_dict(folded_state(self, CONVOLUTIONS if self.batch_norm else ()))
        return plain.train(self.training)

    def rescaled(self, scale: float, offset: float) -> SVDNet:
        """The same network and architecture but for its last layer: the logit is scale·logit + offset."""
        plain = SVDNet(batch_norm=self.batch_norm)
        state = self.state_dict()
        state["fc9.weight"], state["fc9.bias"] = scale * state["fc9.weight"], scale * state["fc9.bias"] + offset
        plain.load_state_dict(state)
        return plain.train(self.training)

    def _convolve(self, name: str, x: Tensor, dilation: int) -> Tensor:
        convolution = self.get_submodule(name)
        assert isinstance(convolution, nn.Conv2d)
        x = F.conv2d(x, convolution.weight, convolution.bias, dilation=(dilation, 1))
        if self.batch_norm:
            x = self.get_submodule(f"{name}_norm")(x)
        return F.leaky_relu(x, LEAKY_SLOPE)


def _pointwise(layer: nn.Linear, x: Tensor) -> Tensor:
    """A fully connected layer at every position of `[B, C, S, 1]`."""
    return F.conv2d(x, layer.weight[:, :, None, None], layer.bias)


def _along_time(x: Tensor, kernel: Tensor, bias: Tensor | None, dilation: int) -> Tensor:
    """Convolution with time as the last axis, along which kernels are fast; the output is one band wide."""
    return F.conv2d(x.transpose(2, 3), kernel.transpose(2, 3), bias, dilation=(1, dilation)).transpose(2, 3)

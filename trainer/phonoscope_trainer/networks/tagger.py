"""The tagger: a convolutional network that names the genre of four seconds of music (Choi et al. 2015 and 2016).

    [B, 173, 257] ─ conv1 ─ mp1 ─ … ─ conv5 ─ mp5 [B, 64, 5, 8] ─ fc6 [B, 256] ─ fc7 [B, classes]

The paper says how many feature maps, kernels and pools there are, not how wide the first fully connected layer is nor
what happens at the borders: 256 and zero padding here, so that only pooling makes a map smaller.
"""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.networks.folding import folded_state
from phonoscope_trainer.networks.stages import Convolution, Pooling, Stage

Variant = Literal["2016", "2015"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
KERNELS: dict[Variant, tuple[int, ...]] = {"2016": (3, 3, 3, 3, 3), "2015": (12, 3, 3, 3)}
MAPS = 64  # of every convolution
POOL = 2
HIDDEN = 256
DROPOUT = 0.5  # of the fully connected layers, and of whole maps unless told otherwise
FIRST_KERNELS = 0.02  # weights of the first layer begin within plus and minus this
CLIP_SHAPE = (173, 257)  # frames and bins of one clip


class Tagger(nn.Module):
    """The network on linear STFT magnitudes `[B, 173, 257]`; `batch_norm` only helps training and is folded away.

    Args:
        classes: how many genres.
        variant: `2016`, five layers of 3×3 kernels, or `2015`, four of which the first has 12×12.
        batch_norm: normalise each convolution's maps while training.
        map_dropout: chance that training drops a whole map of a convolution.
    """

    def __init__(
        self, classes: int, variant: Variant = "2016", *, batch_norm: bool = False, map_dropout: float = DROPOUT
    ) -> None:
        super().__init__()
        self.classes, self.variant, self.map_dropout = classes, variant, map_dropout
        self.kernels = KERNELS[variant]
        self.batch_norm = batch_norm
        frames, bins = CLIP_SHAPE
        for number, kernel in enumerate(self.kernels, start=1):
            padding = (kernel - 1) // 2
            self.add_module(f"conv{number}", nn.Conv2d(1 if number == 1 else MAPS, MAPS, kernel, padding=padding))
            if batch_norm:
                self.add_module(f"conv{number}_norm", nn.BatchNorm2d(MAPS))
            frames, bins = (((size + 2 * padding - kernel + 1) // POOL) for size in (frames, bins))
        last = nn.Linear(HIDDEN, classes)
        self.add_module(f"fc{len(self.kernels) + 1}", nn.Linear(MAPS * frames * bins, HIDDEN))
        self.add_module(f"fc{len(self.kernels) + 2}", last)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")  # uniform: Choi et al. 2015, section 4.1
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(last.weight)  # training begins with every class equally likely
        if batch_norm:
            # Normalisation makes the scale of kernels nothing to the function. From small ones a short training already
            # makes patterns out of noise.
            nn.init.uniform_(self.get_parameter("conv1.weight"), -FIRST_KERNELS, FIRST_KERNELS)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutions, first to deepest."""
        return tuple(f"conv{number}" for number in range(1, len(self.kernels) + 1))

    def stages(self) -> tuple[Stage, ...]:
        """The convolutions, each followed by its pool: `conv1`, `mp1`, `conv2` …; of a network without `batch_norm`."""
        assert not self.batch_norm  # its stages are those of `folded()`
        found: list[Stage] = []
        for number, name in enumerate(self.layers, start=1):
            layer = self.get_submodule(name)
            assert isinstance(layer, nn.Conv2d)
            found += [Convolution(name, layer), Pooling(f"mp{number}", POOL)]
        return tuple(found)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Logits `[B, classes]` of `magnitude` `[B, 173, 257]`."""
        return self.classify(self._convolve(magnitude.unsqueeze(1)))

    def classify(self, maps: Tensor) -> Tensor:
        """Logits `[B, classes]` of the deepest pooled `maps` `[B, 64, 5, 8]`."""
        first, last = (self.get_submodule(f"fc{len(self.kernels) + further}") for further in (1, 2))
        hidden = F.relu(first(F.dropout(maps.flatten(1), DROPOUT, self.training)))
        logits: Tensor = last(F.dropout(hidden, DROPOUT, self.training))
        return logits

    def activations(self, magnitude: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The pooled maps `mp1` … and the first fully connected layer by name, and the logits `[B, classes]`."""
        found, x = {}, magnitude.unsqueeze(1)
        for number, name in enumerate(self.layers, start=1):
            found[f"mp{number}"] = x = F.relu(F.max_pool2d(self.get_submodule(name)(x), POOL))
        hidden, last = (f"fc{len(self.kernels) + further}" for further in (1, 2))
        found[hidden] = F.relu(self.get_submodule(hidden)(x.flatten(1)))
        logits: Tensor = self.get_submodule(last)(found[hidden])
        return found, logits

    def folded(self) -> Tagger:
        """The same function without batch normalisation: its statistics go into the kernels."""
        plain = Tagger(self.classes, self.variant, map_dropout=self.map_dropout)
        plain.load_state_dict(folded_state(self, self.layers if self.batch_norm else ()))
        return plain.train(self.training)

    def _convolve(self, x: Tensor) -> Tensor:
        """What `walk` ends in for `stages()`, in training, too.

        A rectifier and a maximum commute; the maximum first leaves the rectifier a quarter of the work.
        """
        for name in self.layers:
            x = self.get_submodule(name)(x)
            if self.batch_norm:
                x = self.get_submodule(f"{name}_norm")(x)
            x = F.dropout2d(F.relu(F.max_pool2d(x, POOL)), self.map_dropout, self.training)
        return x

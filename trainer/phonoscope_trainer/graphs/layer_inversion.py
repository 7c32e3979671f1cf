"""What a layer of any listener keeps: `inverter_LAYER`, its sound, and the rule `inversion` that is read from it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.description import Graph, TensorSpec, numbers
from phonoscope_trainer.graphs.explanation_inverter import normalise
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.graphs.transform import magnitude
from phonoscope_trainer.networks.layer_inverter import LayerInverter

INVERSION = "inversion"  # the rule


class Inverted(nn.Module):
    """An inverter, as the listener's network is given pictures, and its error (ISMIR 2018, Eq. 5)."""

    mean_distance: Tensor

    def __init__(self, inverter: LayerInverter, picture: nn.Module, mean_distance: float) -> None:
        super().__init__()
        self.inverter, self.picture = inverter, picture
        self.register_buffer("mean_distance", torch.tensor(mean_distance), persistent=False)

    def forward(self, activation: Tensor, excerpt: Tensor) -> tuple[Tensor, Tensor]:
        """What the layer keeps, and the distance to where it came from.

        Args:
            activation: `[B, …]` the layer's.
            excerpt: `[B, T, M]` what the network was given.

        Returns:
            `inverted` `[B, T, M]`, likewise, and `reconstruction_error` `[B, 1]`: the Euclidean distance between the
            two, divided by the mean distance between two validation excerpts.
        """
        inverted: Tensor = self.picture(self.inverter(activation))
        distance = torch.sqrt(torch.sum((excerpt - inverted) ** 2, dim=(1, 2)))
        return inverted, (distance / self.mean_distance).unsqueeze(-1)


class InversionRule(nn.Module):
    """EUSIPCO 2018, section II, of any layer: relevant is what is loud in what the layer still holds."""

    def __init__(self, inverter: LayerInverter) -> None:
        super().__init__()
        self.inverter = inverter

    def forward(self, activation: Tensor) -> Tensor:
        """`relevance` `[B, T, M]` in [0, 1] of `activation` `[B, …]`."""
        return normalise(self.inverter.standardised(activation))


class InversionSound(nn.Module):
    """An inversion with the recording's own phase (EUSIPCO 2018, section III.D).

    Args:
        log_mel: what the network is given, back to the logarithm of magnitudes.
        transform: of one excerpt, there and back.
        bins_of_bands: `[M, bins]` from bands to Fourier bins.
        power: of the magnitudes that bands are sums of.
    """

    bins_of_bands: Tensor

    def __init__(self, log_mel: nn.Module, transform: nn.Module, bins_of_bands: Tensor, power: int) -> None:
        super().__init__()
        self.log_mel, self.transform, self.power = log_mel, transform, power
        self.register_buffer("bins_of_bands", bins_of_bands, persistent=False)

    def forward(self, samples: Tensor, standardised: Tensor) -> Tensor:
        """`audio` `[B, N]` of the inversion `standardised` `[B, T, M]` of the excerpt `samples` `[B, N]`."""
        bands = torch.exp(self.power * self.log_mel(standardised)) @ self.bins_of_bands
        wanted = torch.clamp(bands, min=0)
        recorded = self.transform.spectrum(samples)  # type: ignore[operator]  # a transform
        gain = (torch.sqrt(wanted) if self.power == 2 else wanted) / magnitude(recorded)
        sound: Tensor = self.transform.sound(recorded * gain.unsqueeze(1))  # type: ignore[operator]  # likewise
        return sound


def inverter_graph(
    layer: str, inverter: LayerInverter, picture: nn.Module, mean_distance: float, listener: Listener
) -> Graph:
    """The description of a layer's inverter."""
    return Graph(
        listener.model(f"inverter_{layer}"),
        Inverted(inverter, picture, mean_distance),
        (TensorSpec("activation", inverter.shape), *listener.maps("excerpt")),
        (*listener.maps("inverted"), *numbers("reconstruction_error")),
        (torch.zeros(2, *inverter.shape), torch.zeros(2, *listener.picture)),
    )


def inversion_rule_graph(layer: str, inverter: LayerInverter, listener: Listener) -> Graph:
    """The description of the rule; its input is the layer by its name."""
    return Graph(
        listener.model(INVERSION),
        InversionRule(inverter),
        (TensorSpec(layer, inverter.shape),),
        listener.maps("relevance"),
        (torch.zeros(2, *inverter.shape),),
    )


def inversion_sound_graph(sound: InversionSound, listener: Listener) -> Graph:
    """The description of `sonify`."""
    return Graph(
        listener.model("sonify"),
        sound,
        (listener.sound("samples"), *listener.maps("standardised")),
        (listener.sound("audio"),),
        (torch.zeros(2, listener.samples), torch.zeros(2, *listener.picture)),
    )

"""What each layer of any listener keeps, as a part of its bundle: inverters, their sound, and who asks them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from phonoscope_trainer.export.explanation_ensembles import hears
from phonoscope_trainer.export.part import Part
from phonoscope_trainer.frontends.parameters import FrontendParameters, filters_of
from phonoscope_trainer.frontends.parametric import FromPicture
from phonoscope_trainer.graphs.description import Ensemble, Step, numbers, same
from phonoscope_trainer.graphs.layer_inversion import InversionSound, inversion_sound_graph, inverter_graph
from phonoscope_trainer.graphs.listener import Listener
from phonoscope_trainer.networks.feature_inverters import trainable_parameters
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversions

QUANTILES = "inversion_error_quantiles"  # the manifest's entry, at its top level or in that of a listener with a suffix


def layer_inversion_part(
    found: LayerInversions,
    listener: Listener,
    picture: nn.Module,
    parameters: FrontendParameters,
    transform: nn.Module,
    samples: Tensor,
) -> Part:
    """Graphs `inverter_LAYER` and `sonify`, and the ensemble `invert_layers`.

    Args:
        found: the inverters.
        listener: whose layers they are.
        picture: log-mel to what its network is given.
        parameters: of its front-end.
        transform: of one excerpt, there and back.
        samples: `[B, N]` that golden vectors are made of.
    """
    sound = InversionSound(FromPicture(parameters), transform, bins_of_bands(parameters), parameters.power)
    graphs = [
        inverter_graph(layer, inverter, picture, found.mean_distance, listener)
        for layer, inverter in found.inverters.items()
    ]
    return Part(
        (*graphs, inversion_sound_graph(sound, listener)),
        (invert_layers(tuple(found.inverters), listener),),
        {listener.model("invert_layers"): {"samples": samples[:1]}},
        {QUANTILES: {layer: list(each) for layer, each in found.error_quantiles.items()}},
        {listener.model(f"inverter_{layer}"): trainable_parameters(each) for layer, each in found.inverters.items()},
    )


def invert_layers(layers: tuple[str, ...], listener: Listener) -> Ensemble:
    """ISMIR 2018, Fig. 6: one excerpt, and what each layer keeps of it; a caller may ask for some of the outputs."""
    steps = [
        Step(
            listener.model(f"inverter_{layer}"),
            {"activation": layer, "excerpt": "standardised"},
            {name: f"{name}_{layer}" for name in ("inverted", "reconstruction_error")},
        )
        for layer in layers
    ]
    return Ensemble(
        listener.model("invert_layers"),
        (listener.sound("samples"),),
        (
            *listener.maps("log_mel", "standardised", *(f"inverted_{layer}" for layer in layers)),
            *listener.probabilities("probability"),
            *numbers(*(f"reconstruction_error_{layer}" for layer in layers)),
        ),
        (hears(listener), Step(listener.network, {"excerpt": "standardised"}, same("probability", *layers)), *steps),
    )


def bins_of_bands(parameters: FrontendParameters) -> Tensor:
    """`[M, bins]` the pseudo-inverse of the filters."""
    filters = filters_of(parameters)
    back = filters if parameters.scale == "linear" else np.linalg.pinv(filters)
    return torch.from_numpy(back).float()

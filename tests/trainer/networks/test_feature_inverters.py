"""The inverters of all layers against Tables 1 and 2, and where in an excerpt they draw."""

from __future__ import annotations

import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.feature_inverters import (
    CHANNELS,
    PLANS,
    VARIANTS,
    FeatureInverter,
    trainable_parameters,
)
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet

PARAMETERS = {
    "fc8": 130_081,
    "fc7": 175_009,
    "mp6": 80_242,
    "conv5": 144_322,
    "conv4": 575_362,
    "mp3": 45_602,
    "conv2": 28_130,
    "conv1": 37_570,
}
DEPTHS = {"fc8": 11, "fc7": 10, "mp6": 5, "conv5": 5, "conv4": 5, "mp3": 6, "conv2": 4, "conv1": 2}  # Table 2
SHAPES = {  # Table 2, but for the last pooled map before it is flattened
    "fc8": (64,),
    "fc7": (256,),
    "mp6": (64, 11, 7),
    "conv5": (64, 33, 21),
    "conv4": (128, 35, 23),
    "mp3": (32, 37, 25),
    "conv2": (32, 111, 76),
    "conv1": (64, 113, 78),
}


@pytest.fixture(scope="module")
def activations() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    with torch.inference_mode():
        return SVDNet().eval().activations(torch.randn(2, 115, 80))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_each_inverter_has_the_parameters_and_the_depth_of_the_tables(layer, variant):
    inverter = FeatureInverter(layer, variant)
    assert trainable_parameters(inverter) == PARAMETERS[layer]
    assert len(PLANS[layer].split()) == DEPTHS[layer]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_each_inverter_makes_an_excerpt_of_what_its_layer_gives(activations, layer, variant):
    assert activations[layer].shape[1:] == SHAPES[layer]
    assert CHANNELS[layer] == SHAPES[layer][0]
    with torch.inference_mode():
        assert FeatureInverter(layer, variant).eval()(activations[layer]).shape == (2, 115, 80)


@pytest.mark.parametrize("layer", LAYERS)
def test_the_papers_form_shows_nothing_below_minus_one(activations, layer):
    with torch.inference_mode():
        assert FeatureInverter(layer, "paper")(100 * activations[layer]).min() >= -1


def test_the_aligned_form_can_show_anything(activations):
    with torch.inference_mode():
        assert FeatureInverter("conv5")(100 * activations["conv5"]).min() < -1


@pytest.mark.parametrize(("layer", "bins"), [("conv1", 1), ("conv2", 2)])
def test_the_papers_form_surrounds_shallow_pictures_with_zeros(activations, layer, bins):
    with torch.inference_mode():
        picture = FeatureInverter(layer, "paper")(activations[layer])
    border = torch.ones(115, 80, dtype=torch.bool)
    border[bins:-bins, bins:-bins] = False
    assert torch.all(picture[:, border] == 0)
    assert torch.all(picture[:, ~border] != 0)


def heard_by(layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames and bands of an excerpt that one middle position of a layer is computed from."""
    excerpt = torch.zeros(1, 115, 80, requires_grad=True)
    stages = dict(SVDNet().eval().stages(excerpt + torch.randn(1, 115, 80)))
    _, _, frames, bands = stages[layer].shape
    stages[layer][:, :, frames // 2, bands // 2].sum().backward()
    assert excerpt.grad is not None
    return centre_of(excerpt.grad[0].abs())


def drawn_from(layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Frames and bands of an inversion that the same position changes."""
    _, frames, bands = SHAPES[layer]
    activation = torch.randn(1, *SHAPES[layer])
    changed = activation.clone()
    changed[:, :, frames // 2, bands // 2] += 5 * torch.randn(SHAPES[layer][0])
    inverter = FeatureInverter(layer).eval()
    with torch.inference_mode():
        return centre_of((inverter(changed) - inverter(activation))[0].abs())


def centre_of(change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The middle of the rectangle outside which nothing changes."""
    return tuple(places.nonzero().float().mean() for places in (change.sum(dim=1) > 1e-9, change.sum(dim=0) > 1e-9))


@pytest.mark.parametrize("layer", ["conv1", "conv2", "mp3", "conv4", "conv5", "mp6"])
def test_the_aligned_form_draws_where_the_layer_listens(layer):
    torch.manual_seed(0)
    for heard, drawn in zip(heard_by(layer), drawn_from(layer), strict=True):
        assert abs(float(heard - drawn)) <= 2.5  # a pooled position stands for three or nine frames


def test_a_layer_that_does_not_exist_is_refused_by_name():
    with pytest.raises(OptionsError, match="conv9"):
        FeatureInverter("conv9")

"""The explanation inverter against Table I."""

from __future__ import annotations

import pytest
import torch
from phonoscope_trainer.networks.inverter import ExplanationInverter, parameter_count


@pytest.mark.parametrize(("variant", "count"), [("table", 31_877), ("final-convolution", 31_887)])
def test_it_has_the_number_of_parameters_of_its_variant(variant, count):
    assert parameter_count(ExplanationInverter(variant)) == count


@pytest.mark.parametrize("variant", ["table", "final-convolution"])
def test_it_gives_excerpts_that_are_at_least_minus_one(variant):
    torch.manual_seed(0)
    picture = ExplanationInverter(variant)(10 * torch.randn(5, 64))
    assert picture.shape == (5, 115, 80)
    assert picture.min() >= -1


def test_its_picture_is_the_top_left_of_128_by_128():
    inverter = ExplanationInverter().eval()
    features = torch.randn(2, 64)
    whole = inverter.stages(inverter.dense(features).unflatten(1, (16, 4, 4)))
    assert whole.shape == (2, 1, 128, 128)
    torch.testing.assert_close(inverter(features), whole[:, 0, :115, :80])


def test_each_up_convolution_doubles_exactly():
    sizes = []
    x = torch.randn(1, 16, 4, 4)
    for layer in ExplanationInverter().eval().stages:
        x = layer(x)
        if isinstance(layer, torch.nn.ConvTranspose2d):
            sizes.append((x.shape[1], x.shape[2], x.shape[3]))
    assert sizes == [(16, 8, 8), (8, 16, 16), (4, 32, 32), (2, 64, 64), (1, 128, 128)]

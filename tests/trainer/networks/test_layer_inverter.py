"""Inverters whose sizes follow from the layer they invert."""

from __future__ import annotations

import pytest
import torch
from phonoscope_trainer.networks.layer_inverter import SEED, LayerInverter, seed_of, sizes_between


@pytest.mark.parametrize("shape", [(5, 29, 20), (7, 4, 2), (6, 12), (30,), (3, 200, 1)])
def test_any_layer_gives_a_picture_of_the_excerpts_size(shape):
    torch.manual_seed(0)
    inverter = LayerInverter(shape, (115, 80)).eval()
    drawn = inverter(torch.randn(2, *shape))
    assert drawn.shape == (2, 115, 80)
    assert drawn.std() > 0


def test_maps_climb_by_doubling_and_end_at_the_picture():
    assert sizes_between((29, 20), (115, 80)) == [(58, 40), (115, 80)]
    assert sizes_between((115, 80), (115, 80)) == [(115, 80)]
    for picture in ((187, 96), (173, 257), (3, 3)):
        seed = seed_of(picture)
        assert all(1 <= size <= most for size, most in zip(seed, SEED, strict=True))
        assert sizes_between(seed, picture)[-1] == picture


def test_what_it_draws_is_in_the_bands_own_units():
    inverter = LayerInverter((4,), (20, 12)).eval()
    inverter.mean.fill_(-5.0)
    inverter.std.fill_(2.0)
    activation = torch.randn(3, 4)
    torch.testing.assert_close(inverter(activation), 2 * inverter.standardised(activation) - 5)

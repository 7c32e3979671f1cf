"""What doubt looks at, and what it is made of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from phonoscope_trainer.networks.doubt import bands_of, maps_of
from support.bundles.doubting import made_up_doubt


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


def test_bands_are_mean_deviation_and_step():
    excerpt = noise(2, 115, 80)
    found, x = bands_of(excerpt).numpy(), excerpt.double().numpy()
    for row in range(2):
        for band in (0, 33, 79):
            values = x[row, :, band]
            steps = [abs(later - earlier) for earlier, later in pairwise(values)]
            np.testing.assert_allclose(
                found[row, [band, 80 + band, 160 + band]], [values.mean(), values.std(), np.mean(steps)], atol=1e-5
            )


def test_maps_are_mean_and_deviation_of_each_channel_and_band():
    mp6 = noise(2, 64, 11, 7)
    found, x = maps_of(mp6).numpy(), mp6.double().numpy()
    for channel, band in ((0, 0), (17, 3), (63, 6)):
        at = 7 * channel + band
        np.testing.assert_allclose(found[:, at], x[:, channel, :, band].mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(found[:, 448 + at], x[:, channel, :, band].std(axis=1), atol=1e-5)


def test_doubt_is_the_chance_of_either():
    doubt = made_up_doubt()
    seen = noise(3, 115, 80), noise(3, 64, 11, 7), noise(3, 256), torch.tensor([[0.0], [2.0], [-5.0]])
    whole, wrong, foreign = (each.detach().double() for each in doubt(*seen))
    torch.testing.assert_close(whole, wrong + foreign - wrong * foreign, atol=1e-6, rtol=0)
    expected = 1 / (1 + np.exp(0.7 * np.abs([0.0, 2.0, -5.0]) - 0.1))
    np.testing.assert_allclose(wrong[:, 0], expected, atol=1e-6)
    distances = torch.cat(
        [
            doubt.densities["bands"](bands_of(seen[0])),
            doubt.densities["maps"](maps_of(seen[1])),
            doubt.densities["fc7"](seen[2]),
        ],
        dim=1,
    ).double()
    weights = doubt.foreign_weights.double()
    logit = distances @ weights[:6] + distances**2 @ weights[6:] - 0.3
    torch.testing.assert_close(foreign[:, 0], torch.sigmoid(logit), atol=1e-5, rtol=0)

"""What is done to whole excerpts: tone, band, level, pauses, noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.recipes.detector.variation import UNVARIED, Variation, VariationOptions

CPU = torch.device("cpu")


def recorded(options: VariationOptions, magnitude: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return Variation(options, FRONTEND, CPU).recorded(magnitude, np.random.default_rng(seed))


def test_without_any_variation_a_row_stays_as_it_is():
    magnitude = torch.rand(2, 20, FRONTEND.bins)
    torch.testing.assert_close(recorded(UNVARIED, magnitude), magnitude)


def test_what_is_silent_stays_so_unless_noise_is_added():
    silence = torch.zeros(8, 20, FRONTEND.bins)
    assert not recorded(VariationOptions(noise_share=0), silence).any()
    assert recorded(VariationOptions(noise_share=1), silence).all()


def test_noise_is_as_loud_as_samples_of_its_level():
    options = replace(UNVARIED, noise_share=1, noise_db=(-50, -50), noise_slope_db=(0, 0))
    noisy = recorded(options, torch.zeros(1, 200, FRONTEND.bins))
    samples = 10 ** (-50 / 20) * np.random.default_rng(0).standard_normal(FRONTEND.samples_of(200))
    expected = Frontend(FRONTEND).magnitude(torch.from_numpy(samples.astype(np.float32))[None])
    assert noisy.square().mean().sqrt() == pytest.approx(float(expected.square().mean().sqrt()), rel=0.05)


def test_a_telephone_leaves_the_middle_and_takes_the_rest_down():
    options = replace(
        UNVARIED, band_share=1, narrow_share=1, band_hz=(3400, 3400), narrow_hz=(300, 300), band_db=(60, 60)
    )
    heard = recorded(options, torch.ones(1, 2, FRONTEND.bins))[0, 0]
    hz = torch.arange(FRONTEND.bins) * FRONTEND.sample_rate_hz / FRONTEND.frame_samples
    torch.testing.assert_close(heard[(hz > 310) & (hz < 3390)], torch.ones(int(((hz > 310) & (hz < 3390)).sum())))
    outside = heard[(hz < 270) | (hz > 3700)]
    torch.testing.assert_close(outside, torch.full_like(outside, 1e-3))


def test_the_tone_balance_varies_smoothly_with_frequency():
    heard = recorded(replace(UNVARIED, balance_db=4), torch.ones(64, 1, FRONTEND.bins))
    gain_db = 20 * torch.log10(heard[:, 0])
    assert gain_db.std(0).mean() == pytest.approx(4 * 2**0.5, rel=0.25)  # four cosines of mean square one half
    assert gain_db.diff(dim=1)[:, 20:].abs().max() < 2


@pytest.mark.parametrize(
    "change", [{"stretch": (1.2, 0.8)}, {"shift": (0.1, 1.0)}, {"level_db": -1.0}, {"noise_share": 2.0}]
)
def test_options_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        VariationOptions(**change)

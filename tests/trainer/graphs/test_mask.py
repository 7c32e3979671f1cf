"""The explanation generator against the paper's definition, bin by bin."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.graphs.control_regions import ControlRegions
from phonoscope_trainer.graphs.mask import CONTROL_MAPS, MaskGraph
from phonoscope_trainer.networks.standardise import Standardise

OUTPUTS = ("mask", "explanation", "remainder", *CONTROL_MAPS, "control_regions", "relative_area", "effective_alpha")
MEAN, STD = torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80)


def excerpt(seed: int = 0, rows: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    log_mel = torch.randn(rows, 115, 80, generator=generator) - 1
    relevance = torch.rand(rows, 115, 80, generator=generator)
    relevance[:, 0, 0], relevance[:, 0, 1] = 0, 1
    return {"log_mel": log_mel, "standardised": (log_mel - MEAN) / STD, "relevance": relevance}


def run(maps, alpha=0.6, maximum_area=1.0, masking=1, control_seed=0) -> dict[str, np.ndarray]:
    rows = len(maps["log_mel"])
    graph = MaskGraph(Standardise(MEAN, STD))
    region = (torch.full((rows, 1), float(alpha)), torch.full((rows, 1), float(maximum_area)))
    whole = (torch.full((rows, 1), value, dtype=torch.int32) for value in (masking, control_seed))
    values = graph(*maps.values(), *region, *whole)
    return dict(zip(OUTPUTS, (value.numpy() for value in values), strict=True))


def reference_mask(relevance: np.ndarray, alpha: float) -> np.ndarray:
    mask = np.zeros((115, 80))
    for t in range(115):
        for m in range(80):
            mask[t, m] = relevance[t, m] >= np.float32(alpha)
    return mask


@pytest.mark.parametrize("alpha", [0, 0.3, 0.6, 0.9, 1])
def test_a_bin_is_kept_where_its_relevance_reaches_alpha(alpha):
    maps = excerpt()
    found = run(maps, alpha)
    for row in range(3):
        expected = reference_mask(maps["relevance"][row].numpy(), alpha)
        np.testing.assert_array_equal(found["mask"][row], expected)
        assert found["relative_area"][row, 0] == pytest.approx(expected.mean())


def test_alpha_zero_keeps_everything_and_alpha_one_the_largest_bin():
    assert np.all(run(excerpt(), 0)["relative_area"] == 1)
    assert np.all(run(excerpt(), 1)["mask"].sum(axis=(1, 2)) == 1)


def test_m1_turns_masked_bins_into_the_band_mean():
    maps = excerpt()
    found = run(maps, masking=1)
    np.testing.assert_allclose(found["explanation"], maps["standardised"].numpy() * found["mask"], atol=1e-6)
    assert np.all(found["explanation"][found["mask"] == 0] == 0)


def test_m2_masks_the_raw_log_mel_and_standardises_afterwards():
    maps = excerpt()
    found = run(maps, masking=2)
    expected = (maps["log_mel"].numpy() * found["mask"] - MEAN.numpy()) / STD.numpy()
    np.testing.assert_allclose(found["explanation"], expected, atol=1e-5)


@pytest.mark.parametrize("masking", [1, 2])
def test_inside_the_region_the_excerpt_is_untouched_and_the_remainder_holds_the_rest(masking):
    maps = excerpt()
    found = run(maps, masking=masking)
    inside, standardised = found["mask"] == 1, maps["standardised"].numpy()
    np.testing.assert_allclose(found["explanation"][inside], standardised[inside], atol=1e-5)
    np.testing.assert_allclose(found["remainder"][~inside], standardised[~inside], atol=1e-5)


def test_rows_of_one_batch_may_choose_differently():
    maps = excerpt()
    graph = MaskGraph(Standardise(MEAN, STD))
    alpha, area = torch.tensor([[0.2], [0.6], [0.9]]), torch.tensor([[1.0], [0.1], [1.0]])
    masking = torch.tensor([[1], [2], [1]], dtype=torch.int32)
    seed = torch.tensor([[7], [0], [2**31 - 1]], dtype=torch.int32)
    together = graph(*maps.values(), alpha, area, masking, seed)
    for row in range(3):
        one = slice(row, row + 1)
        alone = graph(*(m[one] for m in maps.values()), alpha[one], area[one], masking[one], seed[one])
        for joined, single in zip(together, alone, strict=True):
            torch.testing.assert_close(joined[one], single)


@pytest.mark.parametrize("area", [0.01, 0.15, 0.45, 0.999])
def test_the_region_is_the_largest_that_fits_the_area_asked_for(area):
    maps = excerpt()
    found = run(maps, alpha=0, maximum_area=area)
    assert np.all(found["relative_area"] <= area)
    assert np.all(found["relative_area"] > area - 2 / 9200), "one more bin would not have fitted"
    for row in range(3):
        alpha = float(found["effective_alpha"][row, 0])
        np.testing.assert_array_equal(found["mask"][row], reference_mask(maps["relevance"][row].numpy(), alpha))


def test_the_stricter_of_alpha_and_area_holds():
    strict = run(excerpt(), alpha=0.9, maximum_area=0.5)
    np.testing.assert_allclose(strict["effective_alpha"], 0.9)
    np.testing.assert_array_equal(strict["mask"], run(excerpt(), alpha=0.9)["mask"])


def test_bins_tied_at_the_limit_are_left_out_together():
    maps = excerpt(rows=1)
    maps["relevance"] = torch.zeros(1, 115, 80)
    maps["relevance"][0, :10] = 1.0  # 800 bins tie for the top, the rest for the bottom
    assert run(maps, alpha=0, maximum_area=0.5)["relative_area"][0, 0] == pytest.approx(800 / 9200)


@pytest.mark.parametrize("masking", [1, 2])
def test_controls_have_the_regions_area_and_hold_what_is_inside_them(masking):
    maps = excerpt()
    found = run(maps, alpha=0.5, masking=masking, control_seed=11)
    outside = found["remainder"] * found["mask"] + found["explanation"] * (1 - found["mask"])  # of masked bins
    for name in CONTROL_MAPS:
        inside = np.isclose(found[name], maps["standardised"].numpy(), atol=1e-5)
        # A bin or two may lie at the very value that a masked bin has.
        np.testing.assert_allclose(inside.sum(axis=(1, 2)), found["mask"].sum(axis=(1, 2)), atol=5)
        np.testing.assert_allclose(found[name][~inside], outside[~inside], atol=1e-5)


def test_the_regions_that_are_given_are_those_that_controls_are_inside_of():
    maps = excerpt()
    found = run(maps, alpha=0.5, control_seed=11)
    drawn = ControlRegions()(
        torch.full((3, 1), 11, dtype=torch.int32), torch.from_numpy(found["mask"]).sum(dim=(1, 2), keepdim=True)
    )
    for number, name in enumerate(CONTROL_MAPS):
        region = found["control_regions"][:, number]
        np.testing.assert_array_equal(region, drawn[number].numpy())
        np.testing.assert_allclose(found[name], maps["standardised"].numpy() * region, atol=1e-6)

"""Random regions of a given area, against a slow reference with whole numbers and a sort."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.graphs.control_regions import CONTROLS, ControlRegions
from support.corpora.reference_explanation import RANKS, reference_control_regions

SEEDS = (0, 1, 2, 2018, 512, 262144, 2**31 - 1)


def regions(seed: int, bins: int) -> list[np.ndarray]:
    found = ControlRegions()(torch.tensor([[seed]], dtype=torch.int32), torch.full((1, 1, 1), float(bins)))
    return [region[0].numpy() == 1 for region in found]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bins", [0, 1, 700, 4600, 9199, 9200])
def test_regions_are_the_largest_ranks_of_the_crops_that_the_seed_decides(seed, bins):
    for found, expected in zip(regions(seed, bins), reference_control_regions(seed, bins), strict=True):
        assert found.sum() == bins
        np.testing.assert_array_equal(found, expected)


def test_equal_seeds_give_equal_regions_and_others_give_others():
    drawn = {seed: np.stack(regions(seed, 2760)) for seed in range(40)}
    np.testing.assert_array_equal(drawn[7], np.stack(regions(7, 2760)))
    flat = np.concatenate(list(drawn.values())).reshape(40 * CONTROLS, -1).astype(np.float32)
    shared = flat @ flat.T / 2760  # of a region's bins, how many another one holds as well; .3 by chance
    others = shared[~np.eye(len(flat), dtype=bool)]
    assert abs(others.mean() - 0.3) < 0.05
    assert np.mean(others > 0.8) < 0.02, "regions are seldom drawn from the same place of the field"


def test_regions_are_random_over_all_of_the_excerpt():
    share = np.mean([region for seed in range(300) for region in regions(seed * 7919, 2760)], axis=0)
    assert share.min() > 0.15
    assert share.max() < 0.45


def test_a_region_is_coherent_and_a_smaller_one_lies_inside_a_larger():
    for small, large in zip(regions(5, 1000), regions(5, 3000), strict=True):
        assert (large[1:] == large[:-1]).mean() > 0.9
        assert (large[:, 1:] == large[:, :-1]).mean() > 0.9
        assert not (small & ~large).any()


def test_the_field_has_every_rank_once_and_no_seam():
    assert sorted(RANKS.ravel().astype(int)) == list(range(512**2))
    step = np.abs(np.diff(RANKS, axis=0)).mean()
    assert np.abs(RANKS[0] - RANKS[-1]).mean() < 2 * step

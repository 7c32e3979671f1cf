"""What one dense pass gives of moments, against each moment's own excerpt; and regions without limit or controls."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.graphs.along import GATHERED, MaskerAlongGraph, MomentsGraph, dense
from phonoscope_trainer.graphs.mask import MaskGraph, RegionGraph
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet

FIRST = (0, 1, 2, 17, 85)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SVDNet().eval()


@pytest.fixture(scope="module")
def track():
    return torch.randn(1, 200, 80, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_features_of_moments_are_those_of_their_excerpts(network, track):
    layers, first = dense(network, track), torch.tensor([FIRST], dtype=torch.int32)
    found = MomentsGraph()(*(layers[name] for name in GATHERED), first)
    own = network.activations(torch.stack([track[0, at : at + 115] for at in FIRST]))
    for name, rows in zip(GATHERED, found, strict=True):
        torch.testing.assert_close(rows[0], own[name], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_relevance_of_moments_is_what_the_masker_makes_of_their_excerpts(network, track):
    masker = Masker().eval()
    torch.nn.init.normal_(masker.detail.weight)
    layers, first = dense(network, track), torch.tensor([FIRST], dtype=torch.int32)
    found = MaskerAlongGraph(masker)(layers["conv2"], layers["conv5"], layers["fc8"], first)
    own = network.activations(torch.stack([track[0, at : at + 115] for at in FIRST]))
    torch.testing.assert_close(found[0], masker(own["conv2"], own["conv5"], own["fc8"]), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_region_without_limit_is_the_masks():
    noise = torch.Generator().manual_seed(2)
    log_mel, standardised, relevance = (torch.rand(3, 115, 80, generator=noise) for _ in range(3))
    standardise = Standardise(torch.rand(80, generator=noise), 1 + torch.rand(80, generator=noise))
    alpha, one = torch.tensor([[0.2], [0.5], [1.0]]), torch.ones(3, 1)
    masking = torch.tensor([[1], [2], [1]], dtype=torch.int32)
    mask, inside, _, _, _, _, _, area, _ = MaskGraph(standardise)(
        log_mel, standardised, relevance, alpha, one, masking, one.int()
    )
    found = RegionGraph(standardise)(log_mel, standardised, relevance, alpha, masking)
    for each, expected in zip(found, (mask, inside, area), strict=True):
        np.testing.assert_array_equal(each, expected)

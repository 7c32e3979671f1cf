"""Captum's methods on the detector, each against what defines it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.captum_peers import (
    PEERS,
    as_modules,
    linear_model_of_blocks,
    time_frequency_blocks,
)
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from support.nearly import assert_nearly_close


def no_rule(fc8, excerpt):
    return torch.zeros_like(excerpt)


@pytest.fixture(scope="module")
def explained() -> ExplainedNetwork:
    torch.manual_seed(0)
    network = SVDNet().eval().requires_grad_(requires_grad=False)
    return ExplainedNetwork(network, no_rule, None, Standardise(torch.zeros(80), torch.ones(80)), 0.4)


@pytest.fixture(scope="module")
def excerpts() -> torch.Tensor:
    return torch.randn(2, 115, 80, generator=torch.Generator().manual_seed(1))


def gradient(explained, excerpts):
    """Of the label's score, by automatic differentiation."""
    asked = excerpts.clone().requires_grad_()
    margins = explained.margins(asked)
    return torch.autograd.grad((margins * margins.detach().sign()).sum(), asked)[0]


def test_the_row_of_modules_is_the_detector(explained, excerpts):
    margins = explained.margins(excerpts)
    found = as_modules(explained)(excerpts.unsqueeze(1))
    torch.testing.assert_close(found, torch.stack([-margins, margins], dim=1))


@pytest.mark.parametrize("name", ["saliency", "guided_grad_cam", "deconvolution"])
def test_a_peer_gives_every_bin_a_relevance_the_same_alone_and_in_a_batch(name, explained, excerpts):
    together = PEERS[name](explained, excerpts)
    assert together.shape == excerpts.shape
    assert float(together.std()) > 0
    assert_nearly_close(together[:1], PEERS[name](explained, excerpts[:1]), atol=1e-6, rtol=1e-3)


def test_saliency_is_the_magnitude_of_the_gradient(explained, excerpts):
    torch.testing.assert_close(PEERS["saliency"](explained, excerpts), gradient(explained, excerpts).abs())


def test_integrated_gradients_add_up_to_what_the_excerpt_adds_to_the_score(explained, excerpts):
    margins, blank = explained.margins(excerpts[:1]), explained.margins(torch.zeros(1, 115, 80))
    found = PEERS["integrated_gradients"](explained, excerpts[:1]).sum(dim=(1, 2))
    torch.testing.assert_close(
        found, (margins - blank) * margins.sign(), atol=0.02 * float(margins.abs().max()), rtol=0
    )


def test_deconvolution_rectifies_what_comes_back_instead_of_what_went_forward(explained, excerpts):
    """The backward pass of Zeiler & Fergus, by hand."""
    network = explained.network
    activations = network.activations(excerpts)
    sign = explained.margins(excerpts).sign()
    relu = torch.relu
    g = relu(relu(relu(sign[:, None] * network.fc9.weight) @ network.fc8.weight) @ network.fc7.weight)
    g = _unpool(g.unflatten(1, (64, 11, 7)), activations["conv5"])
    for name in ("conv5", "conv4"):
        g = torch.nn.functional.conv_transpose2d(relu(g), network.get_submodule(name).weight)
    g = _unpool(g, activations["conv2"])
    for name in ("conv2", "conv1"):
        g = torch.nn.functional.conv_transpose2d(relu(g), network.get_submodule(name).weight)
    torch.testing.assert_close(PEERS["deconvolution"](explained, excerpts), g[:, 0], atol=1e-6, rtol=1e-3)


def test_occlusion_is_what_the_score_loses_where_patches_overlap(explained, excerpts):
    found = PEERS["occlusion"](explained, excerpts[:1])
    patch = torch.zeros(1, 115, 80)
    patch[:, :16, :12] = 1  # the first patch; no other covers its corner
    score = explained.margins(excerpts[:1])
    lost = (score - explained.margins(excerpts[:1] * (1 - patch))) * score.sign()
    assert float(found[0, 0, 0]) == pytest.approx(float(lost), rel=1e-3)


def test_lime_finds_the_blocks_that_a_linear_model_weighs():
    torch.manual_seed(0)
    model = TwoBlocks(time_frequency_blocks()[0, 0])
    found = linear_model_of_blocks(model, torch.ones(1, 1, 115, 80), torch.tensor([1]), samples=1000)[0]
    by_block = [float(found[time_frequency_blocks()[0, 0] == block].mean()) for block in range(80)]
    assert np.argsort(by_block)[-2:].tolist() in ([3, 41], [41, 3])


def test_blocks_cover_the_excerpt_evenly():
    blocks = time_frequency_blocks()[0, 0]
    assert torch.unique(blocks).tolist() == list(range(80))
    sizes = torch.bincount(blocks.flatten())
    assert (int(sizes.min()), int(sizes.max())) == (110, 120)
    assert int(blocks[0, 0]) == 0
    assert int(blocks[0, 10]) == 1


class TwoBlocks(torch.nn.Module):
    """Scores that rest on blocks 3 and 41."""

    def __init__(self, blocks):
        super().__init__()
        self.matters = ((blocks == 3) | (blocks == 41)).float()

    def forward(self, excerpts):
        score = (excerpts[:, 0] * self.matters).mean(dim=(1, 2)) * 1000
        return torch.stack([score, score], dim=1)


def _unpool(g, pooled_from):
    _, places = torch.nn.functional.max_pool2d(pooled_from, 3, return_indices=True)
    flat = torch.zeros_like(pooled_from).flatten(2)
    return flat.scatter(2, places.flatten(2), g.flatten(2)).view_as(pooled_from)

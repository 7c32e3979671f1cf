"""SVDNet against its description, and its three ways of running against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet

SHAPES = {
    "conv1": (64, 113, 78),
    "conv2": (32, 111, 76),
    "mp3": (32, 37, 25),
    "conv4": (128, 35, 23),
    "conv5": (64, 33, 21),
    "mp6": (64, 11, 7),
    "fc7": (256,),
    "fc8": (64,),
}


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval()


def reference_logit(network: SVDNet, excerpt: np.ndarray) -> float:
    """The network as the paper lists it, in NumPy float64, one multiplication table at a time."""
    weights = {name: value.double().numpy() for name, value in network.state_dict().items()}

    def leaky(x):
        return np.where(x > 0, x, 0.01 * x)

    def convolve(x, name):
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        return leaky(np.einsum("cxyij,ocij->oxy", windows, kernel) + bias[:, None, None])

    def pool(x):
        channels, frames, bands = (x.shape[0], x.shape[1] // 3, x.shape[2] // 3)
        return x[:, : 3 * frames, : 3 * bands].reshape(channels, frames, 3, bands, 3).max(axis=(2, 4))

    x = pool(convolve(convolve(excerpt[None].astype(float), "conv1"), "conv2"))
    x = pool(convolve(convolve(x, "conv4"), "conv5")).ravel()  # (channel, time, frequency)
    for name in ("fc7", "fc8"):
        x = leaky(weights[f"{name}.weight"] @ x + weights[f"{name}.bias"])
    return float((weights["fc9.weight"] @ x + weights["fc9.bias"])[0])


def test_it_has_the_published_number_of_parameters(network):
    assert sum(p.numel() for p in network.parameters()) == 1_408_225


def test_its_logit_is_the_reference_logit(network):
    excerpt = np.random.default_rng(1).standard_normal((115, 80)).astype(np.float32)
    with torch.inference_mode():
        logit = network(torch.from_numpy(excerpt)[None]).item()
    assert logit == pytest.approx(reference_logit(network, excerpt), abs=1e-5)


def test_every_layer_has_the_shape_of_the_paper(network):
    activations = network.activations(torch.zeros(1, 115, 80))
    assert list(activations) == [*LAYERS, "logit"]
    assert {name: tuple(activations[name].shape[1:]) for name in LAYERS} == SHAPES


def test_it_begins_with_orthogonal_weights_and_zero_biases():
    weight = SVDNet().fc8.weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(64), atol=1e-5, rtol=0)
    assert all(torch.all(p == 0) for name, p in SVDNet().named_parameters() if name.endswith("bias"))


@torch.inference_mode()
def test_every_ninth_excerpt_of_a_longer_stretch_equals_the_excerpt_alone(network):
    stretch = torch.randn(2, 115 + 9 * 4, 80)
    alone = torch.cat([network(stretch[:, 9 * i : 9 * i + 115]) for i in range(5)], dim=1)
    torch.testing.assert_close(network(stretch), alone, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_every_frame_in_one_pass_equals_sliding_windows(network):
    stretch = torch.randn(1, 115 + 30, 80)
    windows = torch.cat([network(stretch[:, i : i + 115]) for i in range(31)], dim=1)
    torch.testing.assert_close(network(stretch, every_frame=True), windows, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_folding_batch_normalisation_keeps_the_function():
    torch.manual_seed(2)
    network = SVDNet(batch_norm=True)
    network.train()
    network(3 * torch.randn(4, 151, 80) + 1)  # moves the running statistics
    network.eval()
    excerpt = torch.randn(3, 115, 80)
    folded = network.folded()
    assert not folded.batch_norm
    torch.testing.assert_close(folded(excerpt), network(excerpt), atol=1e-4, rtol=0)


def test_folding_a_plain_network_copies_it(network):
    torch.testing.assert_close(network.folded()(torch.ones(1, 115, 80)), network(torch.ones(1, 115, 80)))

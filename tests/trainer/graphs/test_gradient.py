"""`gradient` against automatic differentiation in double precision, and against itself in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.graphs.gradient import GradientGraph, asked, gradient_graph, smoothed, unpooled
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.models import write_graph

THRESHOLD = 0.4


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


def layers(network: SVDNet, excerpt: torch.Tensor) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        return asked(network, network.activations(excerpt))


def by_autograd(network: SVDNet, excerpt: torch.Tensor) -> torch.Tensor:
    excerpt = excerpt.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(excerpt).sum(), excerpt)
    return gradient


def test_the_adjoint_is_the_gradient(network):
    double = SVDNet().double().eval()
    double.load_state_dict(network.state_dict())
    double.requires_grad_(requires_grad=False)
    excerpt = torch.randn(2, 115, 80, dtype=torch.float64)
    found = GradientGraph(double, THRESHOLD).gradient(*layers(double, excerpt)[:-1])
    torch.testing.assert_close(found, by_autograd(double, excerpt), rtol=1e-6, atol=1e-9)


def test_of_several_largest_bins_the_first_gets_the_gradient(network):
    excerpt = torch.zeros(1, 115, 80)  # every position of a map is alike
    found = GradientGraph(network, THRESHOLD).gradient(*layers(network, excerpt)[:-1])
    torch.testing.assert_close(found, by_autograd(network, excerpt), rtol=1e-4, atol=1e-7)


def test_unpooling_gives_each_gradient_to_its_largest_bin_and_nothing_to_the_rest():
    maps, g = torch.randn(2, 3, 7, 11), torch.randn(2, 3, 2, 3)
    found = unpooled(g, maps)
    expected = torch.zeros_like(maps)
    for index in np.ndindex(2, 3, 2, 3):
        row, channel, t, m = index
        window = maps[row, channel, 3 * t : 3 * t + 3, 3 * m : 3 * m + 3]
        dt, dm = divmod(int(window.argmax()), 3)
        expected[row, channel, 3 * t + dt, 3 * m + dm] = g[index]
    torch.testing.assert_close(found, expected)


def test_smoothing_is_the_mean_of_the_neighbours_that_exist():
    picture = torch.randn(1, 12, 10)
    found = smoothed(picture)
    for t in range(12):
        for m in range(10):
            near = picture[0, max(0, t - 4) : t + 5, max(0, m - 3) : m + 4]
            assert found[0, t, m].item() == pytest.approx(near.mean().item(), abs=1e-5)


@pytest.mark.parametrize("shift", [-5.0, 5.0])
def test_what_speaks_for_the_label_is_above_one_half_whichever_label_it_is(network, shift):
    excerpt = torch.randn(2, 115, 80)
    *kept, logit = layers(network, excerpt)
    sign = 1 if shift > 0 else -1
    found = GradientGraph(network, THRESHOLD)(excerpt, *kept, logit + shift)
    expected = sign * smoothed(excerpt * by_autograd(network, excerpt))
    largest = expected.abs().flatten(1).max(dim=1).values[:, None, None]
    torch.testing.assert_close(found, (1 + expected / largest) / 2, rtol=1e-4, atol=1e-5)


def test_an_excerpt_at_the_threshold_is_vocal(network):
    excerpt = torch.randn(1, 115, 80)
    *kept, _ = layers(network, excerpt)
    graph = GradientGraph(network, THRESHOLD)
    at_the_threshold = torch.tensor([[graph.threshold_logit]])
    torch.testing.assert_close(graph(excerpt, *kept, at_the_threshold), graph(excerpt, *kept, at_the_threshold + 5))


def test_where_nothing_is_relevant_everything_is_neutral(network):
    excerpt = torch.zeros(1, 115, 80)  # every bin at its band's mean
    assert torch.all(GradientGraph(network, THRESHOLD)(excerpt, *layers(network, excerpt)) == 0.5)


def test_the_exported_graph_agrees_for_any_number_of_excerpts(network, tmp_path):
    graph = gradient_graph(network, THRESHOLD)
    write_graph(graph, tmp_path)
    session = onnxruntime.InferenceSession(
        tmp_path / "gradient" / "1" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    for rows in (1, 3):
        excerpt = torch.randn(rows, 115, 80)
        values = [excerpt, *layers(network, excerpt)]
        names = [spec.name for spec in graph.inputs]
        (found,) = session.run(None, {name: value.numpy() for name, value in zip(names, values, strict=True)})
        np.testing.assert_allclose(found, graph.module(*values).numpy(), atol=1e-4)

"""The paper's rule as a graph: its relevance and its error, by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.graphs.explanation_inverter import ExplanationInverterGraph, normalise
from phonoscope_trainer.networks.inverter import ExplanationInverter


@pytest.fixture(scope="module")
def inverter() -> ExplanationInverter:
    torch.manual_seed(0)
    return ExplanationInverter().eval()


@torch.inference_mode()
def test_relevance_is_the_inversion_between_its_own_extremes(inverter):
    fc8, excerpt = torch.randn(3, 64), torch.randn(3, 115, 80)
    inverted, relevance, _ = ExplanationInverterGraph(inverter)(fc8, excerpt)
    torch.testing.assert_close(inverted, inverter(fc8))
    for found, source in zip(relevance.numpy(), inverted.double().numpy(), strict=True):
        expected = (source - source.min()) / (source.max() - source.min())
        np.testing.assert_allclose(found, expected, atol=1e-5)


@torch.inference_mode()
def test_the_error_is_the_root_mean_square_difference(inverter):
    fc8, excerpt = torch.randn(3, 64), torch.randn(3, 115, 80)
    inverted, _, error = ExplanationInverterGraph(inverter)(fc8, excerpt)
    expected = [np.sqrt(np.mean((excerpt[row] - inverted[row]).double().numpy() ** 2)) for row in range(3)]
    np.testing.assert_allclose(error[:, 0], expected, rtol=1e-5)


def test_a_constant_inversion_points_at_nothing_and_divides_by_nothing():
    assert not normalise(torch.full((1, 115, 80), 0.25)).any()

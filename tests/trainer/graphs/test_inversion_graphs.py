"""`inverter_LAYER`, `sonify` and `invert_layers`: errors by the definition, and sound that is the recording's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.export.detection import detection
from phonoscope_trainer.export.inversion import inversion_part
from phonoscope_trainer.export.part import TrainedDetector
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend, mel_filterbank
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.inverters import Inverters, inverter_graphs
from phonoscope_trainer.graphs.sonify import SonifyGraph
from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from support.corpora.music import melody

SAMPLES = 36934
EDGE = 1024  # samples at either end that fewer windows cover
STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.full((80,), 1.5))


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval()


@pytest.fixture(scope="module")
def inverters() -> Inverters:
    torch.manual_seed(0)
    return Inverters(tuple(FeatureInverter(layer).eval() for layer in LAYERS), mean_distance=90.0)


@pytest.fixture(scope="module")
def samples() -> torch.Tensor:
    return torch.stack([torch.from_numpy(melody(2, seed)[:SAMPLES]) for seed in range(2)])


def test_the_error_is_the_distance_over_the_mean_distance(network, inverters):
    excerpt = torch.randn(3, 115, 80)
    activations = network.activations(excerpt)
    for graph, inverter in zip(inverter_graphs(inverters, network), inverters.networks, strict=True):
        with torch.inference_mode():
            inverted, error = graph.module(activations[inverter.layer], excerpt)
        by_hand = [np.linalg.norm(x - y) / 90 for x, y in zip(excerpt.double().numpy(), inverted.numpy(), strict=True)]
        np.testing.assert_allclose(error[:, 0], by_hand, rtol=1e-5)


def test_an_ensemble_inverts_every_layer_of_one_excerpt(network, inverters, samples):
    frontend = Frontend()
    detector = TrainedDetector(frontend, STANDARDISE, network, 0.5, (), torch.from_numpy(melody(4)))
    parts = (detection(detector), inversion_part(inverters, detector, {}))
    ensemble = parts[1].ensembles[0]
    found = compose.run(ensemble, [graph for part in parts for graph in part.graphs], {"samples": samples})
    with torch.inference_mode():
        standardised = STANDARDISE(frontend(samples))
        activations = network.activations(standardised)
        for inverter in inverters.networks:
            expected = inverter(activations[inverter.layer])
            torch.testing.assert_close(found[f"inverted_{inverter.layer}"], expected)
            assert found[f"reconstruction_error_{inverter.layer}"].shape == (2, 1)
        torch.testing.assert_close(found["probability"], torch.sigmoid(activations["logit"]))
    assert set(found) == {spec.name for spec in ensemble.outputs}


def test_sound_has_the_magnitude_of_the_inversion_and_the_phase_of_the_recording(samples):
    standardised = STANDARDISE(Frontend()(samples)) + 0.3 * torch.randn(2, 115, 80)
    audio = SonifyGraph(FRONTEND, STANDARDISE)(samples, standardised)
    expected = by_definition(samples[0].double().numpy(), standardised[0].double().numpy())
    np.testing.assert_allclose(audio[0, EDGE:-EDGE], expected[EDGE:-EDGE], atol=2e-3 * np.abs(expected).max())


def by_definition(samples: np.ndarray, standardised: np.ndarray) -> np.ndarray:
    """Frame by frame with NumPy's transforms."""
    mel = np.exp(standardised * 1.5 + np.linspace(1, -2, 80))
    window, total, weight = np.hanning(1024), np.zeros(SAMPLES), np.zeros(SAMPLES)
    inverse = np.linalg.pinv(mel_filterbank())
    for frame in range(115):
        place = slice(frame * 315, frame * 315 + 1024)
        recorded = np.fft.rfft(samples[place] * window)
        magnitude = np.zeros(513)
        magnitude[:372] = np.maximum(0, mel[frame] @ inverse)
        total[place] += window * np.fft.irfft(magnitude * np.exp(1j * np.angle(recorded)))
        weight[place] += window**2
    return total / np.maximum(weight, 1e-3 * weight.max())


def test_a_perfect_inversion_sounds_like_the_recording(samples):
    audio = SonifyGraph(FRONTEND, STANDARDISE)(samples, STANDARDISE(Frontend()(samples)))
    for wanted, found in zip(samples[:, EDGE:-EDGE], audio[:, EDGE:-EDGE], strict=True):
        assert np.corrcoef(wanted, found)[0, 1] > 0.9


def test_an_inversion_with_nothing_in_it_is_silent_and_so_is_one_of_silence(samples):
    graph = SonifyGraph(FRONTEND, STANDARDISE)
    nothing = (torch.full((2, 115, 80), -30.0) - STANDARDISE.mean) / STANDARDISE.std
    assert graph(samples, nothing).abs().max() < 1e-6
    assert torch.all(graph(torch.zeros(2, SAMPLES), torch.zeros(2, 115, 80)) == 0)

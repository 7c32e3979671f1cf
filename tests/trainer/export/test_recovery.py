"""Runs recovered from the bundle that ships: every network answers as its graph does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.export.recovery import recover
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.measures.calibrated_run import calibration_of
from phonoscope_trainer.networks.svdnet import LAYERS
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, load_detector, new_learner, same_layer
from phonoscope_trainer.recipes.explanation_inverter import load_inverter
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters
from phonoscope_trainer.recipes.gan.training import load_generator
from phonoscope_trainer.recipes.masker.training import load_masker
from phonoscope_trainer.recipes.tagger.training import load_tagger
from phonoscope_trainer.repository.shipped_graphs import session_of, standardise_of

BUNDLE = Path(__file__).parents[3] / "model_repository"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recovered")
    assert set(recover(BUNDLE, folder, "recovered by a test")) == {path.name for path in folder.iterdir()}
    return folder


@pytest.fixture(scope="module")
def activations(runs) -> dict[str, torch.Tensor]:
    network, _ = load_detector(runs / "detector")
    with torch.no_grad():
        return network.activations(torch.randn(2, 115, 80, generator=torch.Generator().manual_seed(0)))


def close(found: torch.Tensor, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-3, atol=1e-3)


def graph(name: str) -> onnxruntime.InferenceSession:
    return session_of(BUNDLE, name, 1)


def test_the_detector(runs, activations):
    excerpt = torch.randn(2, 115, 80, generator=torch.Generator().manual_seed(0)).numpy()
    close(activations["logit"].sigmoid(), graph("detector").run(["probability"], {"excerpt": excerpt})[0])
    _, standardise = load_detector(runs / "detector")
    np.testing.assert_array_equal(standardise.mean, standardise_of(BUNDLE).mean)


def test_the_detector_keeps_its_threshold(runs):
    calibration = calibration_of(runs / "detector")
    manifest = json.loads((BUNDLE / "MANIFEST.json").read_text())
    assert (calibration.scale, calibration.offset, calibration.threshold) == (1, 0, manifest["threshold"])


def test_training_goes_on_from_the_detector_as_it_is_used(runs):
    options = DetectorOptions(start=str(runs / "detector"), keep_convolutions="conv2", device="cpu")
    learner = new_learner(standardise_of(BUNDLE), options)
    network, _ = load_detector(runs / "detector")
    excerpt = torch.randn(1, 115, 80)
    torch.testing.assert_close(learner.network.eval()(excerpt), network(excerpt), rtol=1e-4, atol=1e-4)
    assert not learner.network.get_parameter("conv2.weight").requires_grad
    assert learner.network.get_parameter("conv4.weight").requires_grad


def test_every_inverter(runs, activations):
    inverters = load_inverters(runs / "inverters")
    assert [inverter.layer for inverter in inverters] == list(LAYERS)
    for inverter in inverters:
        session = graph(f"inverter_{inverter.layer}")
        given = {
            each.name: activations.get(each.name, activations[inverter.layer]).numpy() for each in session.get_inputs()
        }
        given["excerpt"] = np.zeros((2, 115, 80), np.float32)
        asked = {each.name: given[each.name] for each in session.get_inputs()}
        close(inverter(activations[inverter.layer]), session.run(["inverted"], asked)[0])


def test_inverters_of_the_first_layers_stay_those_of_a_detector_that_keeps_them(runs, tmp_path):
    later = DetectorOptions(start=str(runs / "detector"), keep_convolutions="conv2", device="cpu")
    checkpoint.open_run(tmp_path, later)
    kept = {layer for layer in LAYERS if same_layer(layer, runs / "detector", tmp_path)}
    assert kept == {"conv1", "conv2", "mp3"}


def test_the_explanation_inverter_and_the_masker(runs, activations):
    fc8 = activations["fc8"]
    excerpt = np.zeros((2, 115, 80), np.float32)
    inverted = graph("explanation_inverter").run(["inverted"], {"fc8": fc8.numpy(), "excerpt": excerpt})[0]
    close(load_inverter(runs / "explanation-inverter")(fc8), inverted)
    seen = {name: activations[name] for name in SEEN}
    relevance = graph("masker").run(["relevance"], {name: each.numpy() for name, each in seen.items()})[0]
    close(load_masker(runs / "masker")(**seen), relevance)


def test_the_generator(runs):
    z = torch.randn(2, 128, generator=torch.Generator().manual_seed(1))
    close(load_generator(runs / "gan")(z), graph("generate").run(["log_mel"], {"z": z.numpy()})[0])


def test_the_tagger(runs):
    network, options = load_tagger(runs / "tagger")
    picture = torch.rand(1, 173, 257, generator=torch.Generator().manual_seed(2))
    asked = {
        name: np.array([[value]], np.int32) for name, value in (("layer", 0), ("feature", 0), ("strongest_only", 0))
    }
    if (BUNDLE / "tagger").is_dir():
        answer = graph("tagger").run(["probability"], {"excerpt": picture.numpy()})[0]
    else:  # a bundle of before
        answer = graph("deconvnet_tagger").run(["class_probability"], {"picture": picture.numpy()} | asked)[0]
    close(torch.softmax(network(picture), dim=1), answer)
    assert options.labels == ("ballad", "dance", "hip-hop")


def test_a_run_says_how_its_network_came_about(runs):
    said = checkpoint.commands(runs / "masker")
    assert "phonoscope-train masker --run" in said[0]
    assert said[0].endswith("recovered by a test")

"""The part of a bundle that makes features heard: its ensembles, composed in PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from phonoscope_trainer.command_line import running
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.export.auralisation import auralisation, auralisation_part
from phonoscope_trainer.export.detection import detection
from phonoscope_trainer.export.part import Part, TrainedDetector
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.tagger.training import TaggerOptions, untrained
from support.corpora.music import melody

LABELS = ("ballad", "dance", "hip-hop")


@pytest.fixture(scope="module")
def detector() -> TrainedDetector:
    torch.manual_seed(0)
    standardise = Standardise(torch.linspace(1, -2, 80), torch.full((80,), 1.1))
    return TrainedDetector(Frontend(), standardise, SVDNet().eval(), 0.5, (), torch.from_numpy(melody(seconds=3)))


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    torch.manual_seed(0)
    return Tagger(len(LABELS)).eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def part(tagger, detector) -> Part:
    return auralisation_part(tagger, LABELS, detector, ("phonoscope-train tagger",))


@pytest.mark.parametrize("name", ["auralise", "auralise_detector"])
def test_an_ensemble_gives_every_output_in_its_shape_for_its_golden_input(part, detector, name):
    ensemble = next(each for each in part.ensembles if each.name == name)
    found = compose.run(ensemble, [*part.graphs, *detection(detector).graphs], part.golden[name])
    assert list(found) == [spec.name for spec in ensemble.outputs]
    for spec in ensemble.outputs:
        assert found[spec.name].shape == (1, *(1 if size == -1 else size for size in spec.dims)), spec.name
    assert found["heard"].any()


def test_the_tagger_in_the_bundle_says_what_the_tagger_says(part, tagger):
    samples = part.golden["auralise"]["samples"]
    found = compose.run(part.ensembles[0], part.graphs, part.golden["auralise"])
    with torch.inference_mode():
        expected = torch.softmax(tagger(LinearStft()(samples)), dim=1)
    torch.testing.assert_close(found["class_probability"], expected)
    assert (samples[0, -11025 + 1 :] == 0).all()  # a golden sound shorter than the clip is filled up with silence


def test_serving_is_told_the_layers_features_and_classes(part):
    described = {graph.name: graph.parameters for graph in part.graphs}
    assert described["deconvnet_tagger"] == {
        "layers": "conv1,conv2,conv3,conv4,conv5",
        "features": "64,64,64,64,64",
        "labels": "ballad,dance,hip-hop",
    }
    assert described["deconvnet_detector"] == {"layers": "conv1,conv2,conv4,conv5", "features": "64,32,128,64"}
    assert described["tagger_frontend"]["excerpt_samples"] == "44100"


@pytest.mark.parametrize(
    ("songs", "name", "licence"), [("", "genres", "made by Phonoscope"), ("music/mine", "mine", "as its owner says")]
)
def test_a_bundle_names_the_music_that_its_tagger_was_trained_on(tmp_path, detector, songs, name, licence):
    options = TaggerOptions(labels=LABELS, music="0123", songs=songs)
    with running(["tagger", "--run", "runs/tagger"]):
        checkpoint.open_run(tmp_path, options)
    checkpoint.save(tmp_path, {"best": untrained(options).state_dict()})
    part = auralisation([tmp_path], detector)
    (data,) = part.training_data
    assert (data.name, data.digest) == (name, "0123")
    assert data.licence.startswith(licence)
    assert part.commands == ("phonoscope-train tagger --run runs/tagger",)


def test_a_bundle_has_one_tagger(detector):
    with pytest.raises(ExportError, match="one tagger; 2 runs were given"):
        auralisation([Path("a"), Path("b")], detector)

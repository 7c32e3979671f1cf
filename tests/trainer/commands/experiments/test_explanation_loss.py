"""`masker` and `experiment explanation-loss` in miniature: from runs, from a bundle, heard, and what is refused."""

from __future__ import annotations

import argparse
import json
import math

import numpy as np
import pytest
import torch
from phonoscope_trainer.commands import masker
from phonoscope_trainer.commands.experiments import explanation_loss
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import CheckpointError, ExportError, OptionsError, TrainerError
from phonoscope_trainer.experiments.explanation.detector import of_bundle, of_runs
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.heard import HeardExplanations
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.explanation_inverter import normalise
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.networks.inverter import ExplanationInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.masker.training import load_masker
from support.corpora.miniature_corpus import work_in

LOSS = "explanation-loss --corpora mir1k --excerpts 8 --control-excerpts 4 --threads 1 --json out/loss.json"
CLIPS = [("one", "a", "train"), ("two", "b", "valid"), ("three", "c", "test"), ("four", "d", "test")]
RUNS = "--detector runs/detector --inverter runs/inverter --masker runs/masker"


def run(command: str) -> None:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    masker.add(verbs)
    explanation_loss.add_experiment(verbs)
    options = vars(parser.parse_args(command.split()))
    options.pop("run")(**options)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus of a few clips, an untrained detector and inverter, and a masker after one update."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("trust")
        work_in(folder, patch, CLIPS, (1, 2))
        torch.manual_seed(0)
        standardise = Standardise(torch.full((80,), -3.0), torch.full((80,), 2.0))
        for name, options, state in (
            (
                "detector",
                {"corpora": ["mir1k"]},
                {"network": SVDNet().state_dict(), "standardise": standardise.state_dict()},
            ),
            ("inverter", {"variant": "table"}, {"inverter": ExplanationInverter().state_dict()}),
        ):
            (folder / "runs" / name).mkdir(parents=True)
            (folder / "runs" / name / checkpoint.OPTIONS).write_text(json.dumps(options))
            checkpoint.save(folder / "runs" / name, state)
        run(
            "masker --run runs/masker --detector runs/detector --updates 1 --batch 2 --validation-excerpts 2"
            " --threads 1"
        )
        yield folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    monkeypatch.setenv("PHONOSCOPE_DATA", str(place / "data"))
    return place


def explained(place, threshold=0.5):
    return of_runs(*(place / "runs" / name for name in ("detector", "inverter", "masker")), threshold)


@torch.inference_mode()
def middle(place) -> float:
    """A threshold that an untrained detector finds as many excerpts above as below."""
    detector = explained(place)
    logits = []
    for track in features(named.load("mir1k").of("test"), Frontend()):
        log_mel = Frontend().log_mel(torch.from_numpy(track.magnitudes[0].astype(np.float32)))
        logits.append(detector.logits(detector.standardise(log_mel).unfold(0, 115, 9).transpose(1, 2)))
    return float(torch.sigmoid(torch.cat(logits).median()))


def test_the_experiment_leaves_what_explanations_are_worth(here):
    run(f"{LOSS} {RUNS} --threshold {middle(here):.9f}")
    found = json.loads((here / "out" / "loss.json").read_text())
    default = found["default"]["mir1k"]
    assert (default["rule"], default["n"]) == ("masker", 8)
    assert {"area", "removed_flips", "heard_loss", "heard_outside_db"} <= set(default)
    assert set(default["loss"]) == {"mean", "low", "high"}
    assert {"shifted", "other", "constant", "silhouette"} < set(default["controls"])
    assert 0 <= default["heard_control"] <= 1
    assert [len(points) for points in found["paper"]["mir1k"].values()] == [11, 11]
    assert {"masker", "gradient", "inversion"} < set(found["equal_area"]["mir1k"])
    for figure in ("curves", "mir1k"):
        assert (here / "out" / f"loss-{figure}.png").stat().st_size > 1000


def test_a_bundle_says_the_same_as_the_networks_it_was_made_from(written):
    standardised = torch.randn(3, 115, 80)
    shipped = of_bundle(written.root, None, threads=1)
    assert shipped.threshold == 0.5
    torch.testing.assert_close(shipped.standardise(standardised), written.detector.standardise(standardised))
    with torch.inference_mode():
        torch.testing.assert_close(
            shipped.logits(standardised), written.detector.network(standardised)[:, 0], atol=1e-4, rtol=1e-4
        )
        fc8 = written.detector.network.activations(standardised)["fc8"]
        found = shipped.relevances(standardised)
        torch.testing.assert_close(found["inversion"], normalise(written.inverter(fc8)), atol=1e-3, rtol=1e-3)
    assert set(found) == {"inversion", "gradient", "masker"}
    assert all(relevance.min() >= 0 and relevance.max() <= 1 for relevance in found.values())


def test_a_masker_that_is_not_exported_yet_can_be_judged_with_a_bundle(here, written):
    standardised = torch.randn(2, 115, 80)
    with torch.inference_mode():
        found = of_bundle(written.root, here / "runs" / "masker", threads=1).relevances(standardised)
        trained = load_masker(here / "runs" / "masker")
        activations = written.detector.network.activations(standardised)
        expected = trained(*(activations[name] for name in SEEN))
    torch.testing.assert_close(found["masker"], expected, atol=1e-4, rtol=1e-4)


def test_what_is_heard_is_the_recording_where_nothing_is_attenuated_and_silence_where_everything_is(here):
    tracks, detector = named.load("mir1k").of("test"), explained(here, middle(here))
    places = np.array([0, 20, 60])
    magnitudes = features(tracks, Frontend())[0].magnitudes[0]
    log_mel = torch.stack(
        [Frontend().log_mel(torch.from_numpy(magnitudes[first : first + 115].astype(np.float32))) for first in places]
    )
    excerpts = Excerpts(log_mel, np.zeros(3, bool), np.zeros(3, int), places, 0.5)
    heard = HeardExplanations(tracks, detector, outside_db=0)(excerpts, torch.zeros(3, 115, 80))
    with torch.inference_mode():
        logits = detector.logits(detector.standardise(log_mel))
        clear = (logits - math.log(detector.threshold / (1 - detector.threshold))).abs() > 0.02 * logits.abs().max()
        assert torch.equal(heard[clear], detector.is_vocal(detector.standardise(log_mel))[clear])
        silence = torch.full((3, 115, 80), math.log(FRONTEND.floor))
        silent = HeardExplanations(tracks, detector, outside_db=300)(excerpts, torch.zeros(3, 115, 80))
        assert torch.equal(silent, detector.is_vocal(detector.standardise(silence)))


@pytest.mark.parametrize(
    ("command", "error", "complaint"),
    [
        (f"{LOSS} --detector runs/detector", OptionsError, "belong together"),
        (f"{LOSS} --threshold 0.4", OptionsError, "threshold: a bundle has its own"),
        (f"{LOSS} --model-repository nothing", ExportError, "nothing: no MANIFEST.json"),
        (f"{LOSS.replace('--excerpts 8', '--excerpts 2')} {RUNS}", OptionsError, "excerpts must be at least 4"),
        (f"{LOSS} {RUNS} --threshold 0.999999", TrainerError, "0 are called vocal"),
        ("masker --run runs/other --detector runs/nothing", CheckpointError, "runs/nothing"),
        ("masker --run runs/other --detector runs/detector --threshold 2", OptionsError, "threshold must lie between"),
    ],
)
def test_what_cannot_be_done_is_said(here, command, error, complaint):
    with pytest.raises(error, match=complaint):
        run(command)

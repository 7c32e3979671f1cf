"""What the generator brings to a bundle, from the runs that made it."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from phonoscope_trainer.command_line import running
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.export.maximisation import maximisation
from phonoscope_trainer.export.part import TrainedDetector
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.gan.options import GanOptions
from phonoscope_trainer.recipes.maximisation.search import TABLE, SearchOptions


@pytest.fixture(scope="module")
def detector():
    standardise = Standardise(torch.zeros(80), torch.ones(80))
    return TrainedDetector(Frontend(), standardise, SVDNet().eval(), 0.5, (), torch.linspace(-0.1, 0.1, 40000))


@pytest.fixture
def gan(tmp_path):
    """A run that was stopped before its first update."""
    run = tmp_path / "gan"
    with running(["gan", "--run", "runs/gan", "--kernels", "5x5"]):
        checkpoint.open_run(run, GanOptions(kernels="5x5", detector="runs/detector"))
    checkpoint.save(run, {"average": Generator("5x5").state_dict(), "step": 250})
    return run


def finished_search(folder, sign, *rows, **options):
    asked = SearchOptions(sign=sign, generator="runs/gan", **options)
    with running(["maximisation-search", "--run", "runs/lowest", "--sign", "min"]):
        checkpoint.open_run(folder, asked)
    table = {"options": asdict(asked), "settings": rows}
    (folder / TABLE).write_text(json.dumps(table))
    return folder


def test_without_a_search_the_settings_are_the_published_ones(gan, detector):
    part = maximisation([gan], detector)
    assert [graph.name for graph in part.graphs] == ["maximise", "generate", "griffin_lim"]
    assert part.entries["maximisation"] == {
        "maximise": {"steps": 100, "learning_rate": 0.01, "prior_weight": 0.001},
        "minimise": {"steps": 100, "learning_rate": 0.01, "prior_weight": 0.001},
        "training": {"iterations": 250, "published_iterations": 600000},
    }
    assert part.parameters == {"generator": 932801}
    assert part.commands == ("phonoscope-train gan --run runs/gan --kernels 5x5",)


def tried(steps, fid):
    return {"steps": steps, "lr": 0.1, "prior_weight": 0.01, "fid": fid}


def test_a_search_chooses_the_settings_of_both_directions_and_adams_memory(gan, detector, tmp_path):
    part = maximisation([gan, finished_search(tmp_path / "lowest", -1, tried(500, 0.2), beta1=0.9)], detector)
    chosen = part.entries["maximisation"]
    assert chosen["minimise"] == {"steps": 500, "learning_rate": 0.1, "prior_weight": 0.01}
    assert chosen["maximise"] == chosen["minimise"]
    assert part.graphs[0].module.adam.beta1 == 0.9
    assert part.commands[1] == "phonoscope-train maximisation-search --run runs/lowest --sign min"


def test_of_two_searches_the_setting_counts_that_does_for_both(gan, detector, tmp_path):
    highest = finished_search(tmp_path / "highest", 1, tried(100, 0.1), tried(500, 0.4))
    lowest = finished_search(tmp_path / "lowest", -1, tried(500, 0.3), tried(100, 5.0))
    assert maximisation([gan, highest, lowest], detector).entries["maximisation"]["maximise"]["steps"] == 500
    other = finished_search(tmp_path / "other", -1, tried(1000, 0.3))
    with pytest.raises(CheckpointError, match="no setting was tried in all"):
        maximisation([gan, highest, other], detector)


def test_a_folder_without_a_finished_search_is_named(gan, detector, tmp_path):
    with pytest.raises(CheckpointError, match="holds no finished search"):
        maximisation([gan, tmp_path], detector)

"""`corpus genres`, `tagger` and `experiment tagger`, in miniature and in that order; resuming; what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.cli import main
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.tagger import first_filters
from phonoscope_trainer.experiments.tagger import scores as experiment
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes.tagger.clips import LabelledClips
from phonoscope_trainer.recipes.tagger.training import TaggerOptions, load_tagger, train_tagger, untrained

TRAIN = "tagger --batch 3 --threads 1 --updates 1"
OPTIONS = TaggerOptions(updates=2, batch=2, validate_every=1, labels=("fast", "slow"), bfloat16=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("tagger")
        patch.chdir(folder)
        patch.setenv("PHONOSCOPE_CACHE", str(folder / "cache"))
        patch.delenv("PHONOSCOPE_DATA", raising=False)
        steps = (
            "corpus genres --songs 5 --seed 1 --seconds 4 --workers 1",  # the third validates, the last tests
            f"{TRAIN} --run runs/tagger",
            f"{TRAIN} --run runs/tagger-2015 --variant 2015",
            "experiment tagger --songs cache/genres --threads 1 --json out/tagger.json",
        )
        for step in steps:
            assert main(step.split()) == 0, step
        yield folder


def test_the_document_counts_every_clip_of_unseen_songs_once(place):
    document = json.loads((place / "out" / "tagger.json").read_text())
    counts = np.array([[*row.values()] for row in document["confusion"].values()])
    assert (document["songs"], document["clips"], counts.sum()) == (3, 30, 30)
    assert document["accuracy"] == pytest.approx(np.trace(counts) / 30)
    assert document["labelled_folders"]["cache/genres"]["confusion"] == document["confusion"]
    assert set(document["shortcuts"]) == {"tempo", "key", "singer", "sung_share", "loudness"}
    assert document["first_filters"]["after"]["filters"] == 64
    assert {path.name for path in (place / "out").glob("*.png")} == {"tagger-confusion.png", "tagger-filters.png"}


def test_a_run_knows_its_labels_and_is_ready_to_listen(place):
    network, options = load_tagger(place / "runs" / "tagger")
    assert options.labels == ("ballad", "dance", "hip-hop")
    assert not network.training
    assert len(network.stages()) == 10


def test_other_options_need_another_folder(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    assert main(f"{TRAIN} --run runs/tagger --seed 5".split()) == 1
    assert "holds a run with other options (seed)" in capsys.readouterr().err


def some_clips(seed: int) -> LabelledClips:
    samples = np.random.default_rng(seed).integers(-3000, 3000, (4, 10, 44_100)).astype(np.int16)
    return LabelledClips(list(samples), np.array([0, 1, 1, 1]))


def test_a_run_that_was_stopped_ends_with_the_same_network(tmp_path):
    clips = some_clips(0)

    class StoppedError(Exception):
        pass

    def draw(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        return clips.draw(2, 3.0, 0, step)

    def stops(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        if step == 1:
            raise StoppedError
        return draw(step)

    validation = clips.some(1)
    whole = train_tagger(tmp_path / "whole", draw, validation, OPTIONS)
    with pytest.raises(StoppedError):
        train_tagger(tmp_path / "stopped", stops, validation, OPTIONS)
    resumed = train_tagger(tmp_path / "stopped", draw, validation, OPTIONS)
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight, rtol=0, atol=0)


def test_every_label_comes_up_equally_often_however_many_songs_it_has():
    _, labels = some_clips(1).draw(40, 0.0, 3)
    assert torch.bincount(labels).tolist() == [20, 20]


def test_a_split_without_a_label_is_refused(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    table = (place / "cache" / "genres" / "labels.csv").read_text().replace("valid", "train")
    (place / "cache" / "genres" / "other").mkdir()
    Path("cache/genres/other/labels.csv").write_text(table.replace(",ballad/", ",../ballad/"))
    assert main(f"{TRAIN} --run runs/none --songs cache/genres/other".split()) == 1
    assert "is not there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"updates": 0}, "updates must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"map_dropout": 1.0}, r"map_dropout must lie in \[0, 1\)"),
        ({"labels": ("one",)}, "labels must be at least two"),
    ],
)
def test_options_outside_their_range_are_refused(change, message):
    with pytest.raises(OptionsError, match=message):
        TaggerOptions(**{"labels": ("fast", "slow"), **change})


def test_a_figure_that_gives_the_label_away_is_found_and_one_that_does_not_is_at_chance():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    figures = {
        "tempo": [float(60 + 30 * label + rng.normal(0, 3)) for label in labels],
        "key": [int(key) for key in rng.integers(0, 12, 600)],
    }
    known, asked = ({name: values[part] for name, values in figures.items()} for part in (slice(450), slice(450, None)))
    found = experiment.shortcuts(known, labels[:450].tolist(), asked, labels[450:].tolist())
    assert found["tempo"] > 0.95
    assert found["key"] < 0.45


def test_an_edge_in_time_is_a_vertical_edge():
    network = Tagger(3, "2015")
    edge = torch.zeros(12, 12)
    edge[:6], edge[6:] = -1, 1
    with torch.no_grad():
        network.get_parameter("conv1.weight")[:20, 0] = edge
        network.get_parameter("conv1.weight")[20:30, 0] = edge.T
    found = first_filters.edges(network)
    assert found["vertical"] >= 20
    assert found["horizontal"] >= 10
    noise = first_filters.edges(untrained(OPTIONS))
    assert noise["mean_vertical_share"] < 0.5

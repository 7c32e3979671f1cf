"""Anybody's own music, as the README promises: a folder to train on, a bundle of what was learned, scores of it."""

from __future__ import annotations

import json

import pytest
import soundfile
from phonoscope_trainer.cli import main
from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.labels import write_lab
from support.corpora.miniature_runs import work_in
from support.corpora.music import melody

RATE_HZ = 22_050
SECONDS = 6.0
SPLITS = {"one": "train", "two": "valid", "three": "test", "four": "train"}


LICENCE = "CC BY 4.0; CC0 1.0"


@pytest.fixture(scope="module")
def place(written, kept_exports, tmp_path_factory):
    """A folder with music of one's own, learned from, on top of the detector of a bundle."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        work_in(folder, patch)
        patch.setattr("phonoscope_trainer.export.bundle.render_song", kept_exports[1])
        _own_music(folder / "music")
        learned = f"--run runs/detector --corpora folder:music --start {written.root} --keep-convolutions conv2"
        stated = ["--licence", "CC BY 4.0"]
        assert main(["detector", *learned.split(), *["--updates", "2", "--threads", "1"], *stated]) == 0
        yield folder


def _own_music(music):
    music.mkdir()
    for name in SPLITS:
        song = melody(SECONDS, sample_rate_hz=RATE_HZ)
        for part in (".vocals", ".accompaniment") if name == "four" else ("",):
            soundfile.write(music / f"{name}{part}.wav", song, RATE_HZ)
        write_lab(music / f"{name}.lab", [Segment(0, SECONDS / 2)], SECONDS)
    rows = [f"{name}{'.vocals' if name == 'four' else ''}.wav,{split},CC0 1.0" for name, split in SPLITS.items()]
    rows[0] = rows[0].removesuffix("CC0 1.0")  # the licence that the command states is this one's
    (music / "manifest.csv").write_text("\n".join(["file,split,licence", *rows]) + "\n")


def test_a_run_says_what_it_learned_from(place):
    (record,) = json.loads((place / "runs/detector/corpora.json").read_text()).values()
    assert (record["name"], record["licence"]) == ("music", LICENCE)
    assert record["splits"] == {"train": ["four", "one"], "valid": ["two"], "test": ["three"]}


def test_music_that_has_changed_is_not_what_the_run_learned_from(place, capsys):
    labels = place / "music/one.lab"
    before = labels.read_text()
    write_lab(labels, [Segment(0, 1)], SECONDS)
    assert (
        main(["detector", "--run", "runs/detector", "--corpora", "folder:music", "--updates", "2", "--threads", "1"])
        == 1
    )
    assert "another folder:music" in capsys.readouterr().err
    labels.write_text(before)


def test_what_was_learned_is_exported_and_judged(place):
    inverter = "--run runs/inverter --detector runs/detector --epochs 1 --excerpts 64 --threads 1"
    assert main(f"explanation-inverter {inverter}".split()) == 0
    command = "export --detector runs/detector --inverter runs/inverter --name mine-1 --bank 0"
    assert main(command.split()) == 0
    manifest = json.loads((place / "model_repository/MANIFEST.json").read_text())
    assert {"name": "music", "licence": LICENCE}.items() <= manifest["training_data"][0].items()
    assert "untrained-1" in manifest["command"]
    assert main(["experiment", "detector", "--songs", "music", "--json", "scores.json"]) == 0
    assert len(json.loads((place / "scores.json").read_text())["songs"]) == len(SPLITS)

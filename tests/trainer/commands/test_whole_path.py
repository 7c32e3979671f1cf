"""From nothing to a bundle through the command line, in miniature: corpus, detector, inverter, export."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from phonoscope_trainer.cli import main
from phonoscope_trainer.measures.listeners import bundle_listener
from support.corpora.miniature_real import write_real
from support.corpora.miniature_runs import STEPS

EXPORT = "export --detector runs/detector --inverter runs/inverter --name miniature-1 --bank 0"


@pytest.fixture(scope="module")
def place(miniature):
    assert main(EXPORT.split()) == 0
    return miniature


def test_every_step_leads_to_a_bundle_that_listens(place):
    listener, threshold = bundle_listener(place / "model_repository")
    curve = listener(np.random.default_rng(0).standard_normal(22050).astype(np.float32))
    assert len(curve) == 67
    assert np.all((curve >= 0) & (curve <= 1))
    assert 0 < threshold < 1


def test_the_manifest_says_how_it_was_made(place):
    manifest = json.loads((place / "model_repository" / "MANIFEST.json").read_text())
    assert manifest["name"] == "miniature-1"
    assert [data["name"].split("-")[0] for data in manifest["training_data"]] == ["rendered"]
    assert manifest["command"].splitlines() == [f"phonoscope-train {step}" for step in (*STEPS[1:], EXPORT)]
    calibration = json.loads((place / "runs/detector/calibration.json").read_text())
    assert calibration.pop("updates") == 2
    assert manifest["calibration"] == calibration
    assert manifest["threshold"] == calibration["threshold"]
    assert [name.split(", ")[1:] for name in calibration["families"]] == [[], ["accompaniments"]]
    assert len(manifest["reconstruction_error_quantiles"]) == 101
    assert manifest["reconstruction_error_quantiles"] == sorted(manifest["reconstruction_error_quantiles"])


def test_a_run_is_judged_on_stems_with_the_threshold_its_validation_songs_chose(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    command = "experiment detector --corpus rendered"
    assert main(f"{command} --run runs/detector --json scores/run.json".split()) == 0
    assert main(f"{command} --threshold valid --json scores/bundle.json".split()) == 0
    run, bundle = (json.loads((place / "scores" / f"{name}.json").read_text()) for name in ("run", "bundle"))
    assert run["threshold"] == json.loads((place / "model_repository" / "MANIFEST.json").read_text())["threshold"]
    assert bundle["threshold_from"] == "valid split"
    assert run["test_auc"] == pytest.approx(bundle["test_auc"], abs=0.01)


def test_a_run_is_calibrated_again_on_other_music_and_judged_as_it_is_without(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    shutil.copytree(place / "runs/detector", place / "runs/again")
    real = write_real(place / "real")
    assert main(f"calibrate --run runs/again --corpora real:{real}".split()) == 1
    assert "no track in their valid splits" in capsys.readouterr().err
    splits = real / "splits.csv"
    splits.write_text(splits.read_text().replace(",test", ",valid"))
    assert main(f"calibrate --run runs/again --corpora real:{real}".split()) == 0
    families = json.loads((place / "runs/again/calibration.json").read_text())["families"]
    assert {"real, songs", "real, voice", "real, instrumental", "real, mixes"} <= families.keys()
    assert "calibrated: logit" in capsys.readouterr().err
    (place / "runs/again/calibration.json").unlink()
    plain = "experiment detector --corpus rendered --run runs/again --json scores/plain.json"
    assert main(plain.split()) == 0
    assert 0 < json.loads((place / "scores/plain.json").read_text())["threshold"] < 1


def test_a_second_export_replaces_the_bundle(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    scores = place / "songs.json"
    scores.write_text(json.dumps({"mean_auc": 0.5, "songs": []}))
    command = (
        "export --detector runs/detector --inverter runs/inverter --name miniature-2 --bank 0 --metrics songs.json"
    )
    assert main(command.split()) == 0
    manifest = json.loads((place / "model_repository" / "MANIFEST.json").read_text())
    assert manifest["name"] == "miniature-2"
    assert manifest["metrics"]["songs.mean_auc"] == 0.5


def test_a_folder_that_is_no_bundle_is_not_replaced(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    (place / "precious").mkdir()
    (place / "precious" / "letter.txt").write_text("keep me")
    command = "export --detector runs/detector --inverter runs/inverter --name x --bank 0 --out precious"
    assert main(command.split()) == 1
    assert "not a bundle" in capsys.readouterr().err
    assert (place / "precious" / "letter.txt").read_text() == "keep me"

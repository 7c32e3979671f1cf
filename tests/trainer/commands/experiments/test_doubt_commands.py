"""`doubt`, `export --doubt` and `experiment out-of-distribution` in miniature, in that order, and what is refused."""

from __future__ import annotations

import json

import pytest
from phonoscope_trainer.cli import main

FIT = "doubt --run runs/doubt --detector runs/detector --recordings 4 --pieces 2 --sounds 1 --threads 1"
EXPORT = "export --detector runs/detector --inverter runs/inverter --name miniature-1 --bank 0"
JUDGE = (
    "experiment out-of-distribution --corpora rendered --recordings 2 --pieces 2 --sounds 1 --threads 1 "
    "--json out/ood.json"
)


@pytest.fixture(scope="module")
def place(miniature):
    """Only kinds of sound that cost nothing are made."""
    kinds = ("white noise", "clicks", "barks", "music at 8 kHz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("phonoscope_trainer.commands.doubt.made_here", lambda: kinds)
        assert main(FIT.split()) == 0
        assert main(f"{EXPORT} --doubt runs/doubt".split()) == 0
        assert main(JUDGE.split()) == 0
        yield miniature


def test_the_bundle_that_was_exported_tells_how_far_it_is_to_be_doubted(place):
    manifest = json.loads((place / "model_repository/MANIFEST.json").read_text())
    quantiles = manifest["doubt"]["quantiles"]
    assert len(quantiles) == 101
    assert quantiles == sorted(quantiles)
    assert f"phonoscope-train {FIT}" in manifest["command"].splitlines()
    assert (place / "model_repository/doubt/1/model.onnx").is_file()


def test_what_is_served_is_judged_beside_every_candidate(place):
    document = json.loads((place / "out/ood.json").read_text())
    assert document["served"] == "doubt"
    assert 0 <= document["auroc_wrong"] <= 1
    assert 0 <= document["auroc_foreign"] <= 1
    assert {"confidence", "energy", "spread", "misfit", "mahalanobis_fc7", "neighbours_fc7"} <= set(
        document["candidates"]
    )
    assert set(document["candidates"]["doubt"]["foreign"]) == {"white noise", "clicks", "barks", "music at 8 kHz"}
    assert (place / "out/ood.png").stat().st_size > 1000


def test_a_bundle_that_cannot_tell_is_not_judged(place, capsys):
    assert main(f"{EXPORT} --out without".split()) == 0
    assert main(f"{JUDGE} --model-repository without".split()) == 1
    assert "`reissue --doubt RUN` adds it" in capsys.readouterr().err

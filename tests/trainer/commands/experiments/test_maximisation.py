"""`gan`, `maximisation-search` and `experiment maximisation`, in miniature and in that order."""

from __future__ import annotations

import json

import numpy as np
import pytest
from phonoscope_trainer.cli import main

GRID = "--learning-rates 0.01 0.001 --prior-weights 0.0001 --steps 1 2 --examples 3 --threads 1"
SEARCH = f"maximisation-search --run runs/search --gan runs/gan --response fc7:3,mp6 {GRID}"
EXPERIMENT = f"experiment maximisation --run runs/output --gan runs/gan {GRID} --json out/maximisation.json"


@pytest.fixture(scope="module")
def place(miniature):
    for step in (
        "gan --run runs/gan --detector runs/detector --kernels 5x5 --iterations 2 --critic-updates 1 --batch 2"
        " --judged-excerpts 4 --bfloat16 --averaging 0.9 --threads 1",
        SEARCH,
        EXPERIMENT,
    ):
        assert main(step.split()) == 0, step
    return miniature


@pytest.fixture(scope="module")
def document(place) -> dict:
    return json.loads((place / "out/maximisation.json").read_text())


def test_every_setting_is_tried_and_ranked(document):
    assert document["trajectories"] == 2
    assert {(row["lr"], row["prior_weight"], row["steps"]) for row in document["grid"]} == {
        (rate, 0.0001, steps) for rate in (0.01, 0.001) for steps in (1, 2)
    }
    fids = [row["fid"] for row in document["grid"]]
    assert fids == sorted(fids)
    assert document["best_fid"] == fids[0] == document["table_5"]["best"]["fid"]
    assert document["table_5"]["worst"]["fid"] == fids[-1]


def test_maximised_lies_above_and_minimised_below_where_both_began(document):
    assert len(document["table_6"]) == 3
    for row in document["table_6"]:
        assert row["minimised"] < row["initial"] < row["maximised"]
    assert document["minimised_mean"] < document["initial_mean"] < document["maximised_mean"]
    best = document["table_5"]["best"]
    assert document["maximised_mean"] == pytest.approx(best["mean"])
    assert {"top50_mean", "top50_std", "real_p10", "input_space_fid", "initial_fid"} <= set(document)


def test_measures_compare_what_began_at_the_same_z(document):
    bass = document["measures"]["bass_db"]
    assert bass["maximised_minus_minimised"]["mean"] == pytest.approx(
        bass["maximised"]["mean"] - bass["minimised"]["mean"]
    )
    assert {"music_highest", "music_lowest", "input_space", "input_space_minus_initial"} <= set(bass)


def test_figures_lie_beside_the_document(place):
    for name in ("settings", "examples", "grid"):
        assert (place / f"out/maximisation-{name}.png").stat().st_size > 10_000
    assert (place / "runs/search/settings.png").is_file()


def test_a_search_keeps_all_settings_and_what_they_led_to(place):
    table = json.loads((place / "runs/search/settings.json").read_text())
    assert len(table["settings"]) == 4
    assert table["options"]["response"] == "fc7:3,mp6"
    with np.load(place / "runs/search/learning-rate-0.01-prior-weight-0.0001.npz") as stored:
        assert stored["points"].shape == (2, 3, 128)
        assert stored["steps"].tolist() == [1, 2]


def test_a_finished_search_is_taken_as_it_is_and_other_options_need_another_folder(place, capsys):
    path = place / "runs/search/learning-rate-0.01-prior-weight-0.0001.npz"
    before = path.stat().st_mtime_ns
    assert main(SEARCH.split()) == 0
    assert path.stat().st_mtime_ns == before
    assert capsys.readouterr().out.count("FID") == 4
    assert main([*SEARCH.split(), "--sign", "min"]) == 1
    assert "other options (sign)" in capsys.readouterr().err


def test_a_generator_that_learnt_on_needs_a_new_search(place, capsys):
    longer = "gan --run runs/longer --detector runs/detector --kernels 5x5 --iterations 1 --critic-updates 1 --batch 2"
    assert main([*longer.split(), "--judged-excerpts", "4", "--threads", "1"]) == 0
    assert main(SEARCH.replace("runs/gan", "runs/longer").split()) == 1
    assert "generator_sha256" in capsys.readouterr().err


def test_a_response_that_is_not_there_is_one_line(place, capsys):
    assert main([*SEARCH.replace("fc7:3,mp6", "fc6").split()]) == 1
    assert capsys.readouterr().err.startswith("phonoscope-train: response: ")

"""`feature-inverters`, `export --inverters` and `experiment inversion`, in miniature and in that order."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
from phonoscope_trainer.cli import main
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters
from phonoscope_trainer.repository.golden import read_golden

TRAIN = (
    "feature-inverters --run runs/inverters --detector runs/detector --method both --layers conv5,mp6,fc8 --epochs 1"
    " --batches-per-epoch 2 --batch 4 --wide-updates 2 --wide-rows 2 --feature-weight 0.5 --validation-excerpts 4"
    " --threads 1"
)


@pytest.fixture(scope="module")
def place(miniature):
    for step in (
        TRAIN,
        "export --detector runs/detector --inverter runs/inverter --inverters runs/inverters --name small-1 --bank 0",
        "experiment inversion --files 2 --draws 2 --descent-excerpts 0 --threads 1 --json out/inversion.json",
    ):
        assert main(step.split()) == 0, step
    return miniature


def manifest(place) -> dict:
    return json.loads((place / "model_repository" / "MANIFEST.json").read_text())


def test_the_bundle_holds_an_inverter_for_each_layer_trained(place):
    graphs = {path.parent.name for path in (place / "model_repository").glob("*/config.pbtxt")}
    assert {"inverter_conv5", "inverter_mp6", "inverter_fc8", "sonify", "invert_layers"} <= graphs
    assert "inverter_conv1" not in graphs


def test_the_manifest_knows_the_inverters_errors_sizes_and_command(place):
    found = manifest(place)
    assert set(found["inversion_error_quantiles"]) == {"conv5", "mp6", "fc8"}
    for quantiles in found["inversion_error_quantiles"].values():
        assert len(quantiles) == 101
        assert quantiles == sorted(quantiles)
        assert quantiles[0] > 0
    assert found["parameters"]["inverter_conv5"] == 144_322
    assert f"phonoscope-train {TRAIN}" in found["command"].splitlines()


def test_the_exported_graphs_give_the_golden_outputs(place):
    root = place / "model_repository"
    golden = read_golden(root)
    known = {name: golden[f"invert_layers.output.{name}"] for name in ("standardised", "inverted_fc8")}
    error = golden["invert_layers.output.reconstruction_error_fc8"]

    def session(graph: str) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(root / graph / "1" / "model.onnx", providers=["CPUExecutionProvider"])

    (fc8,) = session("detector").run(["fc8"], {"excerpt": known["standardised"]})
    inverted, found = session("inverter_fc8").run(None, {"activation": fc8, "excerpt": known["standardised"]})
    np.testing.assert_allclose(inverted, known["inverted_fc8"], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(found, error, rtol=1e-4)


def test_the_experiment_leaves_every_figure_by_corpus_method_and_layer(place):
    found = json.loads((place / "out" / "inversion.json").read_text())
    assert list(found["nre"]) == ["rendered"]
    for method in ("joint", "input"):
        rows = found["nre"]["rendered"][method]
        assert list(rows) == ["conv5", "mp6", "fc8"]
        assert all(row["low"] <= row["mean"] <= row["high"] for row in rows.values())
        assert set(found["comparator_distance"]["rendered"][method]) == set(rows)
    assert 0 < found["mean_excerpt_baseline"]["rendered"] < 2
    assert found["paper_floor"]["rendered"]["conv2"] > found["paper_floor"]["rendered"]["fc8"]
    assert set(found["structure"]["rendered"]["fc8"]) == {"onset_correlation", "harmonic_share"}
    assert [run["variant"] for run in found["training"]] == ["sketched"]
    for figure in ("errors", "layers"):
        assert (place / "out" / f"inversion-{figure}.png").stat().st_size > 1000


def test_a_finished_run_is_not_trained_again(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(place / "cache"))
    before = load_inverters(place / "runs" / "inverters")
    assert main(TRAIN.split()) == 0
    for one, other in zip(before, load_inverters(place / "runs" / "inverters"), strict=True):
        assert all(a.equal(b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (TRAIN.replace("conv5,mp6", "conv3"), "layers must be some of"),
        (TRAIN.replace("--wide-rows 2", "--wide-rows 9"), "wide_rows"),
        (TRAIN.replace("runs/detector", "runs/nothing"), "runs/nothing"),
        ("experiment inversion --run runs/nothing", "runs/nothing holds no run"),
        ("experiment inversion --files 1", "files must be at least 2"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(place, monkeypatch, capsys, command, complaint):
    monkeypatch.chdir(place)
    assert main(command.split()) == 1
    assert complaint in capsys.readouterr().err

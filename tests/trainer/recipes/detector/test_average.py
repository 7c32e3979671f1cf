"""The mean of detectors that went on from the same one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from phonoscope_trainer.command_line import running
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.average import average_detectors
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, load_uncalibrated, same_layer

STARTED = DetectorOptions(corpora=("real",), start="first", keep_convolutions="conv2")


def a_run(folder: Path, seed: int, options: DetectorOptions = STARTED, *, quiet: float = 0.0) -> Path:
    torch.manual_seed(seed)
    standardise = Standardise(torch.full((80,), quiet), torch.ones(80))
    checkpoint.open_run(folder, replace(options, seed=seed))
    network = SVDNet(batch_norm=True).state_dict()
    checkpoint.save(folder, {"network": network, "standardise": standardise.state_dict(), "step": 9})
    return folder


def test_every_weight_is_the_mean_of_what_it_is_in_the_runs(tmp_path):
    runs = [a_run(tmp_path / name, seed) for seed, name in enumerate("abc")]
    average_detectors(tmp_path / "mean", runs)
    found, *each = (checkpoint.load(run)["network"] for run in (tmp_path / "mean", *runs))
    for name, value in found.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, sum(one[name] for one in each) / 3)
    network, _, calibration = load_uncalibrated(tmp_path / "mean")
    assert calibration is None
    assert network(torch.zeros(1, 115, 80)).shape == (1, 1)


def test_a_mean_knows_what_it_learned_from_and_which_layers_stayed(tmp_path):
    runs = [a_run(tmp_path / "a", 0), a_run(tmp_path / "b", 1, replace(STARTED, corpora=("mir1k", "real")))]
    made = average_detectors(tmp_path / "mean", runs)
    assert made.corpora == ("real", "mir1k")
    assert same_layer("conv2", Path("first"), tmp_path / "mean")
    assert not same_layer("conv4", Path("first"), tmp_path / "mean")
    average_detectors(tmp_path / "other", [*runs, a_run(tmp_path / "c", 2, replace(STARTED, keep_convolutions=""))])
    assert not same_layer("conv2", Path("first"), tmp_path / "other")


def test_it_knows_the_commands_of_what_it_is_made_of(tmp_path):
    with running(["detector", "--run", "first"]):
        checkpoint.open_run(tmp_path / "first", DetectorOptions())
    going_on, runs = replace(STARTED, start=str(tmp_path / "first")), []
    for seed, name in enumerate("ab"):
        with running(["detector", "--run", name]):
            runs.append(a_run(tmp_path / name, seed, going_on))
    with running(["average", "--run", "mean"]):
        average_detectors(tmp_path / "mean", runs)
    named = [command.split()[-1] for command in checkpoint.commands(tmp_path / "mean")]
    assert named == ["first", "a", "b", "mean"]


@pytest.mark.parametrize(
    ("change", "name"),
    [({"start": "second"}, "start"), ({"licence": "CC0"}, "licence")],
)
def test_runs_that_did_not_set_out_alike_are_refused_by_what_differs(tmp_path, change, name):
    runs = [a_run(tmp_path / "a", 0), a_run(tmp_path / "b", 1, replace(STARTED, **change))]
    with pytest.raises(OptionsError, match=f"their {name} must be one"):
        average_detectors(tmp_path / "mean", runs)


def test_what_has_no_middle_is_refused(tmp_path):
    fresh = replace(STARTED, start="", keep_convolutions="")
    with pytest.raises(OptionsError, match="gone on from one run"):
        average_detectors(tmp_path / "mean", [a_run(tmp_path / "a", 0, fresh), a_run(tmp_path / "b", 1, fresh)])
    with pytest.raises(OptionsError, match="two or more, got 1"):
        average_detectors(tmp_path / "mean", [tmp_path / "a", tmp_path / "a"])
    with pytest.raises(OptionsError, match="standardises its input otherwise"):
        average_detectors(tmp_path / "mean", [a_run(tmp_path / "c", 0), a_run(tmp_path / "d", 1, quiet=1.0)])


def test_a_run_with_another_network_is_named(tmp_path):
    runs = [a_run(tmp_path / "a", 0), a_run(tmp_path / "b", 1)]
    state = checkpoint.load(runs[1])
    checkpoint.save(runs[1], state | {"network": SVDNet().state_dict()})
    with pytest.raises(CheckpointError, match=r"b holds another network than .*a"):
        average_detectors(tmp_path / "mean", runs)

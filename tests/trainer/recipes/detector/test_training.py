"""Training: it learns, it resumes to the same result, it refuses to mix runs."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer import cli
from phonoscope_trainer.commands import detector
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, load_detector, new_learner, train_detector
from phonoscope_trainer.recipes.detector.training import cross_entropy, prefetched, update
from phonoscope_trainer.recipes.explanation_inverter import (
    InverterOptions,
    Pairs,
    encode,
    load_inverter,
    train_inverter,
)
from phonoscope_trainer.recipes.precision import has_bfloat16
from support.corpora.loud_excerpts import draw
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TESTS = Path(__file__).parents[3]
STANDARDISE = Standardise(torch.zeros(80), torch.ones(80))
SHORT = DetectorOptions(updates=4, checkpoint_every=2, threads=1, bfloat16=False, device="cpu")
INVERTER = InverterOptions(epochs=4, excerpts=48, batch=16)


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, train_detector
from support.corpora.loud_excerpts import draw

def draw_until_killed(step):
    if step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(step)

options = DetectorOptions(updates=4, checkpoint_every=2, threads=1, bfloat16=False, device="cpu")
train_detector(Path(sys.argv[1]), draw_until_killed, Standardise(torch.zeros(80), torch.ones(80)), options)
"""


def pairs() -> Pairs:
    generator = torch.Generator().manual_seed(0)
    fc8 = torch.randn(48, 64, generator=generator)
    return Pairs(fc8[:, :1, None].expand(48, 115, 80).clone().clamp(min=-1), fc8)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train_detector(folder, draw, STANDARDISE, SHORT)
    return folder


def same(one: SVDNet, other: SVDNet) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_killed_detector_run_resumes_to_the_same_network(tmp_path, finished):
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=TESTS, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert checkpoint.load(tmp_path)["step"] == 2
    resumed = train_detector(tmp_path, draw, STANDARDISE, SHORT)
    assert same(resumed, load_detector(finished)[0])


def test_a_run_may_lack_options_that_came_later(tmp_path, finished):
    for name in ("options.json", "checkpoint.pt"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    older = {k: v for k, v in checkpoint.options(finished).items() if k not in ("recipe", "device", "compiled")}
    (tmp_path / "options.json").write_text(json.dumps(older))
    assert same(train_detector(tmp_path, draw, STANDARDISE, SHORT), load_detector(finished)[0])


def test_a_finished_run_trains_no_further(finished):
    def never(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        raise AssertionError(f"step {step} of a finished run")

    assert same(train_detector(finished, never, STANDARDISE, SHORT), load_detector(finished)[0])


def test_a_run_with_other_options_is_not_overwritten(finished):
    with pytest.raises(CheckpointError, match="learning_rate"):
        train_detector(finished, draw, STANDARDISE, replace(SHORT, learning_rate=1.0))


def test_training_lowers_the_loss(tmp_path):
    options = replace(SHORT, updates=30, learning_rate=2e-3)
    network = train_detector(tmp_path, draw, STANDARDISE, options)
    excerpts, labels = draw(1000)
    with torch.inference_mode():
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(excerpts), labels)
    assert loss < 0.5  # untrained: 0.7; trained: below 0.01, from whatever weights it begins


def test_the_trained_network_keeps_the_standardisation_it_was_trained_with(tmp_path):
    standardise = Standardise(torch.arange(80.0), torch.full((80,), 2.0))
    train_detector(tmp_path, draw, standardise, replace(SHORT, updates=1))
    torch.testing.assert_close(load_detector(tmp_path)[1].mean, torch.arange(80.0))


def test_the_log_can_be_read_by_tensorboard(finished):
    log = EventAccumulator(str(finished)).Reload()
    names = {"loss", "learning_rate", "gradient_norm", "data_wait_share", "cpu_utilisation"}
    assert names == set(log.Tags()["scalars"])
    assert log.Tags()["images"] == ["excerpts"]
    assert 0 <= log.Scalars("data_wait_share")[0].value <= 1


def test_targets_stay_away_from_certainty():
    learner, (log_mel, labels) = new_learner(STANDARDISE, SHORT), draw(0)
    torch.manual_seed(7)  # seed 0 of the options, step 7: the dropout that the update will draw
    probability = torch.sigmoid(learner.network(log_mel)).detach().double().numpy()
    target = 0.02 + 0.96 * labels.double().numpy()
    expected = -(target * np.log(probability) + (1 - target) * np.log(1 - probability)).mean()
    assert update(learner, learner.network, (log_mel, labels), SHORT, 7).item() == pytest.approx(expected, rel=1e-5)


def test_excerpts_that_share_convolutions_have_the_gradient_of_separate_ones():
    torch.manual_seed(0)
    network = SVDNet().double().eval()
    rows = torch.randn(2, 115 + 9 * 2, 80, dtype=torch.float64)
    separate = torch.stack([row[start : start + 115] for row in rows for start in (0, 9, 18)])
    targets = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    gradients = []
    for excerpts, wanted in ((rows, targets), (separate, targets.reshape(6, 1))):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(excerpts), wanted)
        gradients.append(torch.autograd.grad(loss, list(network.parameters())))
    for shared, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(shared, expected, atol=1e-12, rtol=1e-9)


@pytest.mark.skipif(not has_bfloat16(torch.device("cpu")), reason="this processor has no bfloat16")
def test_bfloat16_activations_change_the_loss_by_little():
    losses = []
    for bfloat16 in (False, True):
        learner = new_learner(STANDARDISE, SHORT)
        losses.append(update(learner, learner.network, draw(0), replace(SHORT, bfloat16=bfloat16), 0).item())
        assert all(weight.dtype == torch.float32 for weight in learner.network.parameters())
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


def test_a_folder_without_a_run_says_what_is_missing(tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        load_detector(tmp_path)
    with pytest.raises(CheckpointError, match=r"options\.json"):
        checkpoint.options(tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_detector(tmp_path)


@pytest.mark.parametrize(
    ("last", "learns"), [("conv5", {"fc7", "fc8", "fc9"}), ("conv2", {"conv4", "conv5", "fc7", "fc8", "fc9"})]
)
def test_a_cycle_may_keep_the_convolutions_up_to_one(tmp_path, finished, last, learns):
    options = replace(SHORT, start=str(finished), keep_convolutions=last)
    train_detector(tmp_path, draw, STANDARDISE, options)
    before, after = (checkpoint.load(folder)["network"] for folder in (finished, tmp_path))
    changed = {name.split(".")[0] for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert {name.removesuffix("_norm") for name in changed} == learns


@pytest.mark.parametrize("change", [{"updates": 0}, {"learning_rate": 0.0}, {"keep_convolutions": "conv5"}])
def test_detector_options_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        replace(SHORT, **change)


def test_only_convolutions_can_be_kept():
    with pytest.raises(OptionsError, match="keep_convolutions must be one of conv1, conv2, conv4, conv5"):
        replace(SHORT, start="run", keep_convolutions="mp3")


@pytest.mark.parametrize("threads", [1, 3])
def test_batches_are_drawn_ahead_in_order(threads):
    drawn = prefetched(lambda step: step * 10, range(4), threads)  # type: ignore[arg-type,return-value]  # numbers show the order as well as batches
    assert list(drawn) == [(0, 0), (1, 10), (2, 20), (3, 30)]  # type: ignore[comparison-overlap]  # likewise


def test_a_killed_inverter_run_resumes_to_the_same_inverter(tmp_path):
    whole = train_inverter(tmp_path / "whole", pairs(), INVERTER)
    train_inverter(tmp_path / "half", pairs(), replace(INVERTER, epochs=2))
    stored = tmp_path / "half" / "options.json"
    stored.write_text(stored.read_text().replace('"epochs": 2', '"epochs": 4'))
    resumed = train_inverter(tmp_path / "half", pairs(), INVERTER)
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_inverter_learns_what_its_features_say(tmp_path):
    data = pairs()
    inverter = train_inverter(tmp_path, data, replace(INVERTER, epochs=60))
    with torch.inference_mode():
        error = (inverter(data.fc8) - data.excerpts).square().mean()
    assert error < data.excerpts.var()  # of who knows the mean alone; a third of it, from whatever weights it begins
    assert parameters(load_inverter(tmp_path)) == parameters(inverter)


def parameters(network: torch.nn.Module) -> list[float]:
    return [p.sum().item() for p in network.parameters()]


@torch.inference_mode()
def test_excerpts_are_encoded_by_the_detectors_deepest_layer():
    network, excerpts = SVDNet().eval(), torch.randn(70, 115, 80)
    encoded = encode(excerpts, network)
    torch.testing.assert_close(encoded.fc8, network.activations(excerpts)["fc8"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("more", ["", "--level-db 16", "--level-agreement 0.5"])
def test_a_recorded_command_asks_for_the_run_it_records(tmp_path, monkeypatch, more):
    asked = {}

    def opened(folder, tracks, frontend, options):
        checkpoint.open_run(folder, options)
        asked[folder.name] = options

    monkeypatch.setattr(detector, "run", opened)
    monkeypatch.setattr(detector, "features", lambda *_: [])
    monkeypatch.setattr(detector, "calibrate_where_possible", lambda *_: None)
    monkeypatch.setattr(detector.named, "load", lambda name: Corpus(name, "nobody's", ()))
    first, later = (shlex.quote(str(tmp_path / name)) for name in ("the first", "later"))
    common = f"--corpora rendered,mir1k --updates 3 --learning-rate 1e-3 --seed 2 {more}"
    for command in (
        f"detector --run {first} {common}",
        f"detector --run {later} {common} --start {first} --keep-convolutions conv2",
    ):
        assert cli.main(shlex.split(command)) == 0
    before = dict(asked)
    asked.clear()
    for command in checkpoint.commands(tmp_path / "later"):
        program, *arguments = shlex.split(command)
        assert program == "phonoscope-train"
        assert cli.main(arguments) == 0
    assert asked == before
    assert list(asked) == ["the first", "later"]
    assert asked["later"].keep_convolutions == "conv2"


def test_a_run_that_starts_from_a_bundle_begins_with_the_function_that_ships(tmp_path, written):
    options = replace(SHORT, updates=3, start=str(written.root), keep_convolutions="conv2")
    learner = new_learner(Standardise(torch.zeros(80), torch.ones(80)), options)
    excerpts = torch.randn(2, 115, 80)
    torch.testing.assert_close(learner.network.eval()(excerpts), written.detector.network(excerpts), atol=1e-5, rtol=0)
    torch.testing.assert_close(learner.standardise.mean, written.detector.standardise.mean)
    trained = train_detector(tmp_path, draw, STANDARDISE, options)
    for name, value in written.detector.network.state_dict().items():
        assert torch.equal(trained.state_dict()[name], value) == name.startswith(("conv1", "conv2")), name
    assert checkpoint.commands(tmp_path)[:2] == ["# untrained-1, whose commands were:", "none: untrained"]


def test_a_label_nobody_knows_counts_for_nothing():
    logits, labels = torch.tensor([[2.0, -1.0, 5.0]]), torch.tensor([[1.0, 0.25, torch.nan]])
    known = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, :2], 0.02 + 0.96 * labels[:, :2])
    torch.testing.assert_close(cross_entropy(logits, labels), known)
    assert cross_entropy(logits, torch.full((1, 3), torch.nan)) == 0

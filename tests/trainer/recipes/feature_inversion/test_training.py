"""Training the inverters: what the loss is, that its gradient is true, and that a run can be killed."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, same_layer
from phonoscope_trainer.recipes.feature_inversion.excerpts import PlaceSampler
from phonoscope_trainer.recipes.feature_inversion.learner import InverterLearner
from phonoscope_trainer.recipes.feature_inversion.objective import hear, objective, representation
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters, train_inverters
from support.learning import assert_learns

SHORT = InversionOptions(
    layers=("mp6", "fc8"),
    methods=("joint", "input"),
    variant="aligned",
    epochs=4,
    batches_per_epoch=2,
    batch=3,
    wide_rows=3,
    bfloat16=False,
    validation_excerpts=4,
)


class KilledError(Exception):
    """Stands for the end of the process."""


class CountingDetector(SVDNet):
    """A detector that counts its whole passes."""

    passes = 0

    def activations(self, excerpt):
        type(self).passes += 1
        return super().activations(excerpt)


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


def draw(step: int, rows: int = 3) -> torch.Tensor:
    """Excerpts that differ in their level."""
    generator = torch.Generator().manual_seed(step)
    level = torch.randn(rows, 1, 1, generator=generator)
    return (level + 0.2 * torch.randn(rows, 115, 80, generator=generator)).float()


VALIDATION = draw(99, 4)


def same(ones, others) -> bool:
    weights = [[value for inverter in group for value in inverter.state_dict().values()] for group in (ones, others)]
    return all(torch.equal(one, other) for one, other in zip(*weights, strict=True))


# --- the loss


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 0.0), (0.5, 2.0)])
def test_the_loss_is_the_sum_of_both_squared_distances_on_the_excerpts_scale(network, weights):
    heard, inverted = hear(draw(0), network), draw(1)
    by_hand = np.mean(
        [
            weights[0] * np.sum((x - y) ** 2) + weights[1] * np.mean((a - b) ** 2) * x.size
            for x, y, a, b in zip(
                heard.excerpts.double().numpy(),
                inverted.double().numpy(),
                network.activations(heard.excerpts)["conv5"].double().numpy(),
                network.activations(inverted)["conv5"].double().numpy(),
                strict=True,
            )
        ]
    )
    assert objective(inverted, heard, network, "conv5", weights).item() == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_representation_is_the_detectors_own_layer(network, layer):
    excerpts = draw(0)
    found = representation(excerpts, network, layer).reshape(network.activations(excerpts)[layer].shape)
    torch.testing.assert_close(found, network.activations(excerpts)[layer])


def test_the_gradient_of_the_feature_loss_passes_through_the_comparator(network):
    learner = InverterLearner("fc8", "joint", SHORT)
    learner.inverter.eval()
    heard = hear(draw(0), network)
    inverted = learner.inverter(heard.activations["fc8"])
    objective(inverted, heard, network, "conv5", (0.0, 1.0)).backward()
    for name, weight in learner.inverter.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name
    assert all(weight.grad is None for weight in network.parameters())


def test_the_gradient_of_the_whole_loss_is_that_of_finite_differences():
    torch.manual_seed(1)
    network = SVDNet().eval().double().requires_grad_(requires_grad=False)
    inverter = FeatureInverter("fc8").eval().double()
    heard = hear(draw(0, 1).double(), network)

    def loss() -> torch.Tensor:
        return objective(inverter(heard.activations["fc8"]), heard, network, "conv5", (1.0, 1.0))

    loss().backward()
    weight, step = inverter.dense[0].weight, 1e-5  # a smaller one drowns in what float64 rounds off the loss
    for row, column in ((0, 0), (5, 9), (63, 63)):
        with torch.no_grad():
            weight[row, column] += step
            above = loss()
            weight[row, column] -= 2 * step
            below = loss()
            weight[row, column] += step
        assert weight.grad[row, column].item() == pytest.approx(((above - below) / (2 * step)).item(), rel=1e-3)


# --- the run


def test_inverters_trained_together_are_those_trained_alone(tmp_path, network):
    together = train_inverters(tmp_path / "together", draw, (), VALIDATION, network, replace(SHORT, methods=("joint",)))
    torch.manual_seed(SHORT.seed)
    FeatureInverter("mp6")  # the first one's initial weights are drawn before
    state = torch.get_rng_state()
    alone = InverterLearner("fc8", "joint", SHORT)
    assert not torch.equal(state, torch.get_rng_state())
    for step in range(SHORT.batches):
        alone.update(hear(draw(step), network), network)
        if (step + 1) % SHORT.batches_per_epoch == 0:
            for excerpts in VALIDATION.split(SHORT.batch):
                alone.validate(hear(excerpts, network), network)
            alone.end_epoch()
    assert same([together["joint"][1]], [alone.best_inverter()])


def test_the_detector_runs_once_a_batch_for_all_of_them(tmp_path):
    network = CountingDetector().eval()
    train_inverters(tmp_path, draw, (), VALIDATION[:2], network, replace(SHORT, epochs=2))
    updates, validations = 2 * SHORT.batches_per_epoch, 2
    assert CountingDetector.passes == updates + validations


def test_a_killed_run_resumes_to_the_same_inverters(tmp_path, network):
    for schedule in ("halving", "one-cycle"):
        options = replace(SHORT, schedule=schedule)
        whole = train_inverters(tmp_path / schedule, draw, (), VALIDATION, network, options)
        calls = itertools.count()

        def until_killed(step: int, calls=calls) -> torch.Tensor:
            if next(calls) == 5:
                raise KilledError
            return draw(step)

        with pytest.raises(KilledError):
            train_inverters(tmp_path / f"{schedule}-killed", until_killed, (), VALIDATION, network, options)
        resumed = train_inverters(tmp_path / f"{schedule}-killed", draw, (), VALIDATION, network, options)
        for method in SHORT.methods:
            assert same(whole[method], resumed[method])
            assert same(whole[method], load_inverters(tmp_path / schedule, method=method))


def test_the_inverter_kept_is_the_best_on_validation_excerpts(network):
    learner = InverterLearner("fc8", "input", SHORT)
    kept = []
    for step, excerpts in enumerate((VALIDATION, 10 + VALIDATION)):  # the second epoch is made to look worse
        learner.update(hear(draw(step), network), network)
        learner.validate(hear(excerpts, network), network)
        learner.end_epoch()
        kept.append(learner.best_inverter())
    assert same([kept[0]], [kept[1]])
    assert not same([kept[0]], [learner.inverter])


def test_the_learning_rate_is_halved_when_the_training_loss_stalls_for_two_epochs():
    learner = InverterLearner("fc8", "input", SHORT)
    rates = []
    for loss in (5.0, 4.0, 4.0, 4.0, 4.0, 4.0):
        learner.training_losses, learner.validation_losses = [torch.tensor(loss)], [(1.0, 1)]
        rates.append(learner.end_epoch()["learning_rate"])
    assert rates == [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]


def test_wide_layers_may_update_several_times_a_batch(network):
    options = replace(SHORT, layers=("conv5", "fc8"), batch=6, wide_updates=2, wide_rows=2)
    heard = hear(draw(0, 6), network)
    parts = {layer: list(heard.parts(*options.updates_per_batch(layer))) for layer in options.layers}
    assert [len(part.excerpts) for part in parts["conv5"]] == [2, 2]
    assert torch.equal(
        torch.cat([part.activations["conv5"] for part in parts["conv5"]]), heard.activations["conv5"][:4]
    )
    assert [len(part.excerpts) for part in parts["fc8"]] == [6]


def test_the_comparator_may_join_after_a_share_of_training(network):
    options = replace(SHORT, layers=("fc8",), feature_start=0.5)
    losses = {}
    for method in ("joint", "input"):
        torch.manual_seed(0)
        learner = InverterLearner("fc8", method, options)
        for step in range(options.batches):
            learner.update(hear(draw(step), network), network)
        losses[method] = torch.stack(learner.training_losses)
    assert torch.equal(losses["joint"][:4], losses["input"][:4])
    assert torch.all(losses["joint"][4:] > losses["input"][4:])


def test_late_updates_normalise_as_use_does(network):
    learner = InverterLearner("fc8", "input", replace(SHORT, batch_statistics=0.5))
    statistics = []
    for step in range(SHORT.batches):
        learner.update(hear(draw(step), network), network)
        statistics.append(learner.inverter.dense[1].running_mean.clone())
    changes = [not torch.equal(one, other) for one, other in itertools.pairwise(statistics)]
    assert changes == [True, True, True, False, False, False, False]


@pytest.mark.parametrize("schedule", ["halving", "one-cycle"])
def test_the_joint_loss_falls(network, schedule):
    torch.manual_seed(0)
    learner = InverterLearner("mp6", "joint", replace(SHORT, schedule=schedule))
    heard = hear(draw(0), network)

    def loss() -> torch.Tensor:
        inverted = learner.inverter(heard.activations["mp6"])
        return objective(inverted, heard, network, learner.options.comparator, learner.options.weights("joint", 0.0))

    assert_learns(learner.inverter, loss, lambda: learner.update(heard, network))


def test_a_subset_of_layers_is_trained_in_the_detectors_order(tmp_path, network):
    options = replace(SHORT, layers=("fc8", "mp6"), methods=("joint",), epochs=1, batches_per_epoch=1)
    train_inverters(tmp_path, draw, (), VALIDATION, network, options)
    assert [inverter.layer for inverter in load_inverters(tmp_path)] == ["mp6", "fc8"]
    assert json.loads((tmp_path / "options.json").read_text())["layers"] == ["fc8", "mp6"]
    with pytest.raises(CheckpointError, match="input was not trained"):
        load_inverters(tmp_path, method="input")


def test_of_several_runs_the_last_that_has_a_layer_counts(tmp_path, network):
    wide, deep = tmp_path / "wide", tmp_path / "deep"
    short = replace(SHORT, methods=("joint",), epochs=1, batches_per_epoch=1)
    train_inverters(wide, draw, (), VALIDATION, network, replace(short, layers=("mp6", "fc8")))
    train_inverters(deep, draw, (), VALIDATION, network, replace(short, layers=("fc8",), seed=1))
    mp6, fc8 = load_inverters(wide, deep)
    assert same([mp6], [load_inverters(wide)[0]])
    assert same([fc8], load_inverters(deep))
    assert not same([fc8], [load_inverters(wide)[1]])


def test_another_cycle_goes_on_from_the_best_inverters_of_a_run(tmp_path, network):
    short = replace(SHORT, epochs=1, layers=("mp6",), methods=("joint",))
    (first,) = train_inverters(tmp_path / "first", draw, (), VALIDATION, network, short)["joint"]
    going_on = replace(short, start=str(tmp_path / "first"), learning_rate=1e-12)
    (second,) = train_inverters(tmp_path / "second", draw, (), VALIDATION, network, going_on)["joint"]
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    with pytest.raises(CheckpointError, match="holds no joint/fc8 to start from"):
        train_inverters(tmp_path / "third", draw, (), VALIDATION, network, replace(going_on, layers=("fc8",)))


def test_runs_of_different_detectors_are_not_mixed(tmp_path, network):
    short = replace(SHORT, methods=("joint",), epochs=1, batches_per_epoch=1)
    for detector, layers in (("one", ("fc7",)), ("other", ("fc8",))):
        train_inverters(
            tmp_path / detector, draw, (), VALIDATION, network, replace(short, detector=detector, layers=layers)
        )
    with pytest.raises(CheckpointError, match="one inverts fc7 of one"):
        load_inverters(tmp_path / "one", tmp_path / "other")


def test_layers_that_a_later_detector_kept_need_no_new_inverters(tmp_path, network, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint.open_run(Path("later"), DetectorOptions(start="first", keep_convolutions="conv5"))
    short = replace(SHORT, methods=("joint",), epochs=1, batches_per_epoch=1)
    runs = (("all", "first", ("mp6", "fc8")), ("deep", "first", ("fc7",)), ("head", "later", ("fc8",)))
    for run, detector, layers in runs:
        options = replace(short, detector=detector, layers=layers)
        train_inverters(Path(run), draw, (), VALIDATION, network, options)
    assert [inverter.layer for inverter in load_inverters(Path("all"), Path("head"))] == ["mp6", "fc8"]
    with pytest.raises(CheckpointError, match="deep inverts fc7 of first, head inverts later"):
        load_inverters(Path("deep"), Path("head"))


@pytest.mark.parametrize(
    ("kept", "same"),
    [
        ("", set()),
        ("conv1", {"conv1"}),
        ("conv2", {"conv1", "conv2", "mp3"}),
        ("conv4", {"conv1", "conv2", "mp3", "conv4"}),
        ("conv5", set(LAYERS) - {"fc7", "fc8"}),
        (True, set(LAYERS) - {"fc7", "fc8"}),  # as runs were recorded that could keep all or none
    ],
)
def test_a_layer_stays_the_same_while_all_convolutions_up_to_it_are_kept(tmp_path, kept, same):
    first, later = tmp_path / "first", tmp_path / "later"
    later.mkdir()
    (later / "options.json").write_text(json.dumps({"start": str(first), "keep_convolutions": kept}))
    assert {layer for layer in LAYERS if same_layer(layer, first, later)} == same
    assert all(same_layer(layer, later, later) for layer in LAYERS)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"epochs": 0}, "epochs"),
        ({"wide_updates": 2}, "wide_updates"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"layers": ("conv3",)}, "layers"),
        ({"methods": ()}, "methods"),
        ({"comparator": "fc8"}, "comparator"),
        ({"feature_start": 1.0}, "feature_start"),
        ({"adam_beta2": 1.0}, "adam_beta2"),
        ({"batch_statistics": 0.0}, "batch_statistics"),
    ],
)
def test_options_outside_their_range_are_refused_by_name(change, complaint):
    with pytest.raises(OptionsError, match=complaint):
        replace(SHORT, **change)


# --- what is drawn


def track(frames: int, seed: int) -> Features:
    magnitudes = np.random.default_rng(seed).random((1, frames, 372), np.float32).astype(np.float16)
    labels = np.zeros(frames, bool)
    return Features(Track(f"track{seed}", "group", "train", (), mixture=Path(__file__)), magnitudes, labels)


def test_excerpts_begin_every_ten_frames_and_are_standardised():
    frontend, standardise = Frontend(), Standardise(torch.full((80,), -3.0), torch.full((80,), 2.0))
    one = track(140, 0)
    sampler = PlaceSampler([[one, track(100, 1)]], frontend, standardise)
    log_mel = frontend.log_mel(torch.from_numpy(one.magnitudes[0].astype(np.float32)))
    expected = [(log_mel[first : first + 115] + 3) / 2 for first in (0, 10, 20)]
    drawn = sampler.draw(40, 0, 7)
    places = {next(i for i, x in enumerate(expected) if torch.allclose(x, y, atol=1e-5)) for y in drawn}
    assert places == {0, 1, 2}
    assert torch.equal(drawn, sampler.draw(40, 0, 7))
    assert not torch.equal(drawn, sampler.draw(40, 0, 8))


def test_corpora_are_drawn_equally_often():
    long, short = track(2000, 0), track(115, 1)
    sampler = PlaceSampler([[long], [short]], Frontend(), Standardise(torch.zeros(80), torch.ones(80)))
    only = PlaceSampler([[short]], Frontend(), Standardise(torch.zeros(80), torch.ones(80))).draw(1, 0)
    share = float((sampler.draw(200, 0) == only).all(dim=(1, 2)).float().mean())
    assert 0.4 < share < 0.6


def test_a_corpus_without_an_excerpt_is_refused():
    with pytest.raises(OptionsError, match="115 frames"):
        PlaceSampler([[track(80, 0)]], Frontend(), Standardise(torch.zeros(80), torch.ones(80)))

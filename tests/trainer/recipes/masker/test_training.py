"""The masker: where its decisions lie, what it is trained to make small, and runs that are killed and resumed."""

from __future__ import annotations

import copy
import dataclasses
import math

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.masker import masker_graph
from phonoscope_trainer.networks.masker import Masker
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.masker.excerpts import plain, varied
from phonoscope_trainer.recipes.masker.objective import (
    Fillings,
    MovedExcerpts,
    Weights,
    draw_fillings,
    filled,
    objective,
)
from phonoscope_trainer.recipes.masker.training import MaskerLearner, MaskerOptions, load_masker, train_masker
from phonoscope_trainer.repository.models import write_graph
from support.corpora.features import noise_track
from support.learning import assert_learns

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80))
FLOOR = STANDARDISE(torch.full((80,), math.log(1e-7)))
OPTIONS = MaskerOptions(updates=4, batch=2, validation_excerpts=2, validate_every=2)


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


def excerpts(rows: int, seed: int = 0) -> MovedExcerpts:
    generator = torch.Generator().manual_seed(seed)
    longer = 3 * torch.randn(rows, 116, 80, generator=generator)
    return MovedExcerpts(longer[:, :115], longer[:, 1:])


def draw(step: int) -> MovedExcerpts:
    return excerpts(2, step)


def fillings(rows: int) -> Fillings:
    return Fillings(torch.tensor([math.nan, 20.0] * rows)[:rows], torch.zeros(rows))


def test_a_position_of_conv5_decides_over_the_bins_it_was_computed_from():
    torch.manual_seed(0)
    masker = Masker().eval()
    maps, features = torch.randn(1, 64, 33, 21), torch.randn(1, 64)
    for t, m in ((0, 0), (16, 10), (32, 20)):
        changed = maps.clone()
        changed[0, :, t, m] += 3
        difference = (masker.logits(changed, features) - masker.logits(maps, features))[0].abs().detach().numpy()
        frames, bands = np.nonzero(difference > 1e-6)
        assert (frames.min() + frames.max()) / 2 == pytest.approx(3 * t + 9, abs=1)
        assert (bands.min() + bands.max()) / 2 == pytest.approx(3 * m + 9, abs=1.5)


def test_an_untrained_masker_draws_no_checkerboard():
    torch.manual_seed(0)
    logits = Masker().eval().logits(torch.randn(1, 64, 1, 1).expand(1, 64, 33, 21), torch.randn(1, 64))[0]
    inside = logits[20:-20, 20:-20]
    assert inside.std() < 1e-5


def test_what_is_heard_decides_everywhere():
    torch.manual_seed(0)
    masker = Masker().eval()
    maps = torch.randn(1, 64, 33, 21)
    one, other = (masker(maps, features) for features in torch.randn(2, 1, 64))
    assert torch.all(one != other)


def test_masked_bins_become_the_band_mean_or_are_attenuated_down_to_silence():
    standardised = excerpts(3).standardised
    standardised[2, 0] = FLOOR + 0.1
    found = filled(standardised, torch.tensor([math.nan, 20.0, 60.0]), STANDARDISE, FLOOR)
    assert torch.all(found[0] == 0)
    log_mel = standardised.double() * STANDARDISE.std + STANDARDISE.mean
    for row, decibels in ((1, 20), (2, 60)):
        magnitude = np.maximum(np.exp(log_mel[row].numpy()) / 10 ** (decibels / 20), 1e-7)
        expected = (np.log(magnitude) - STANDARDISE.mean.numpy()) / STANDARDISE.std.numpy()
        np.testing.assert_allclose(found[row], expected, atol=1e-4)


def test_each_term_is_what_the_objective_says(network):
    torch.manual_seed(0)
    masker, batch, threshold_logit = Masker().eval(), excerpts(1), 0.0
    with torch.no_grad():
        terms = objective(masker, network, batch, fillings(1), STANDARDISE, FLOOR, threshold_logit, Weights())
        heard, moved = (network.activations(x) for x in (batch.standardised, batch.moved))
        mask, mask_of_moved = (torch.sigmoid(4 * masker.logits(a["conv5"], a["fc8"])) for a in (heard, moved))
        label = 1 if heard["logit"].item() > threshold_logit else -1
        inside, outside = (network(batch.standardised * m).item() for m in (mask, 1 - mask))
    mask = mask[0].double().numpy()
    expected = {
        "keep": math.log1p(math.exp(-label * inside)),
        "remove": math.log1p(math.exp(label * outside)),
        "area": (mask.mean() / 0.25) ** 2,
        "variation": np.abs(np.diff(mask, axis=0)).mean() + np.abs(np.diff(mask, axis=1)).mean(),
        "instability": np.abs(mask_of_moved[0, :-1].numpy() - mask[1:]).mean(),
    }
    for name, value in expected.items():  # a batch of one class has half the weight: the other class' half is missing
        assert terms[name].item() == pytest.approx(value / 2, rel=1e-4), name
    weighted = sum(getattr(Weights(), name) * value / 2 for name, value in expected.items())
    assert terms["loss"].item() == pytest.approx(weighted, rel=1e-4)


def test_both_classes_weigh_alike_however_many_of_each_there_are(network):
    masker, pool = Masker().eval(), excerpts(12)
    with torch.no_grad():
        logits = network(pool.standardised)[:, 0]
        middle = float(logits.median())
        one, other = int(logits.argmin()), int(logits.argmax())
        found = []
        for rows in ([one, other], [one, one, one, other]):
            batch = MovedExcerpts(pool.standardised[rows], pool.moved[rows])
            same = Fillings(torch.full((len(rows),), 30.0), torch.zeros(len(rows)))
            found.append(objective(masker, network, batch, same, STANDARDISE, FLOOR, middle, Weights()))
    for name, value in found[0].items():
        assert found[1][name].item() == pytest.approx(value.item(), rel=1e-4), name


def test_half_the_excerpts_get_the_band_mean_and_the_rest_their_own_attenuation():
    drawn = draw_fillings(400, 0, (15.0, 60.0), 0.5)
    attenuated = drawn.outside_db[~drawn.outside_db.isnan()]
    assert 150 < len(attenuated) < 250
    assert 15 <= attenuated.min() < 20
    assert 55 < attenuated.max() <= 60
    assert drawn.offset.std().item() == pytest.approx(0.5, abs=0.1)


def test_an_excerpt_stands_beside_itself_one_frame_later_at_another_level():
    for drawn in (
        varied([[noise_track(400, 0)]], Frontend(), STANDARDISE, 3, 0)(0),
        *plain([[noise_track(400, 1)]], Frontend(), STANDARDISE, 3, 4, 0),
    ):
        assert drawn.standardised.shape == drawn.moved.shape == (3, 115, 80)
        difference_db = (drawn.moved[:, :-1] - drawn.standardised[:, 1:]) * STANDARDISE.std * 20 / math.log(10)
        for row in difference_db:
            assert row.std() < 1e-3
            assert row.mean().abs() <= 3


def test_validation_draws_whole_batches_that_differ():
    drawn = plain([[noise_track(900, 1)]], Frontend(), STANDARDISE, 3, 4, 0)
    assert len(drawn) == 2
    assert not torch.equal(drawn[0].standardised, drawn[1].standardised)


def test_learning_makes_the_objective_smaller(network):
    options = dataclasses.replace(OPTIONS, bfloat16=False)
    detector, standardise = copy.deepcopy(network).double(), copy.deepcopy(STANDARDISE).double()
    learner, one = MaskerLearner(detector, standardise, options), draw(0)
    learner.masker.double()
    batch = MovedExcerpts(one.standardised.double(), one.moved.double())
    drawn = draw_fillings(len(batch.standardised), options.seed, options.outside_db, options.offset)

    def loss() -> torch.Tensor:
        return objective(
            learner.masker, detector, batch, drawn, standardise, learner.floor, options.threshold_logit, Weights()
        )["loss"]

    assert_learns(learner.masker, loss, lambda: learner.update(batch, 0))


def test_a_killed_run_ends_with_the_masker_of_one_that_was_not(network, tmp_path):
    def killed(step: int) -> MovedExcerpts:
        if step == 3:
            raise KeyboardInterrupt
        return draw(step)

    whole = train_masker(tmp_path / "whole", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        train_masker(tmp_path / "killed", killed, [draw(9)], network, STANDARDISE, OPTIONS)
    resumed = train_masker(tmp_path / "killed", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    other_options = dataclasses.replace(OPTIONS, batch=3)
    with pytest.raises(CheckpointError, match="batch"):
        train_masker(tmp_path / "killed", draw, [draw(9)], network, STANDARDISE, other_options)


def test_the_masker_that_is_kept_is_the_best_on_validation(network, tmp_path):
    learner = MaskerLearner(network, STANDARDISE, OPTIONS)
    best = learner.validate([draw(9)])["loss"]
    kept = {name: value.clone() for name, value in learner.masker.state_dict().items()}
    for parameter in learner.masker.parameters():
        parameter.data += 5
    assert learner.validate([draw(9)])["loss"] > best
    for name, value in learner.state()["best"].items():
        assert torch.equal(value, kept[name])


def test_another_cycle_goes_on_from_the_best_masker_of_a_run(network, tmp_path):
    first = train_masker(tmp_path / "first", draw, [draw(9)], network, STANDARDISE, OPTIONS)
    options = dataclasses.replace(OPTIONS, start=str(tmp_path / "first"))
    learner = MaskerLearner(network, STANDARDISE, options)
    for one, other in zip(first.parameters(), learner.masker.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_exported_graph_agrees_for_any_number_of_excerpts(network, tmp_path):
    torch.manual_seed(0)
    masker = Masker().eval()
    write_graph(masker_graph(masker, network), tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "masker" / "1" / "model.onnx", providers=["CPUExecutionProvider"])
    for rows in (1, 3):
        with torch.no_grad():
            activations = network.activations(torch.randn(rows, 115, 80))
            expected = masker(activations["conv5"], activations["fc8"])
        (found,) = session.run(None, {name: activations[name].numpy() for name in ("conv5", "fc8")})
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"),
    [("updates", 0), ("batch", 0), ("learning_rate", 0.0), ("threshold", 1.0), ("outside_db", (5.0, 1.0))],
)
def test_an_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        MaskerOptions(**{field: value})


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="is missing"):
        load_masker(tmp_path / "nothing")

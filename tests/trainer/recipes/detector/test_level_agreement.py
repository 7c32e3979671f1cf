"""Rows heard at two levels: what the second is, what disagreement costs, and that answers come to agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.level_agreement import (
    LevelAgreement,
    at_another_level,
    disagreement,
    heard_twice,
    objective,
)
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, new_learner, train_detector
from phonoscope_trainer.recipes.detector.training import cross_entropy
from phonoscope_trainer.recipes.seeds import step_seed
from support.corpora.loud_excerpts import draw
from support.learning import assert_learns

STANDARDISE = Standardise(torch.zeros(80), torch.ones(80))
SHORT = DetectorOptions(updates=1, learning_rate=2e-3, threads=1, bfloat16=False, device="cpu")


def test_another_level_is_what_the_front_end_hears_of_samples_at_that_level():
    samples = torch.randn(2, 40 * FRONTEND.hop_samples, generator=torch.Generator().manual_seed(0))
    change_db = torch.tensor([-20.0, 9.0])
    frontend = Frontend()
    expected = frontend(samples * 10 ** (change_db[:, None] / 20))
    torch.testing.assert_close(at_another_level(frontend(samples), change_db), expected, atol=1e-5, rtol=1e-5)


def test_silence_stays_silent_and_nothing_falls_below_the_floor():
    floor = float(torch.tensor(FRONTEND.floor).log())
    log_mel = torch.tensor([floor, floor + 1, floor + 5]).expand(2, 1, 3)
    changed = at_another_level(log_mel, torch.tensor([-20.0, 20.0]))
    assert changed[0, 0].tolist() == pytest.approx([floor, floor, floor + 5 - 2.302585], abs=1e-5)
    assert changed[1, 0].tolist() == pytest.approx([floor, floor + 3.302585, floor + 7.302585], abs=1e-5)


def test_every_row_comes_once_as_it_was_and_once_at_a_level_between_the_bounds():
    again = heard_twice(draw, LevelAgreement(1, (-30, 15)), seed=3)
    log_mel, labels = again(5)
    rows, expected = draw(5)
    assert torch.equal(log_mel[:4], rows)
    assert torch.equal(labels, expected.repeat(2, 1))
    change_db = (log_mel[4:] - rows).mean((1, 2)) * 20 / torch.log(torch.tensor(10.0))
    assert ((change_db >= -30) & (change_db <= 15)).all()
    assert change_db.unique().numel() == 4
    assert torch.equal(again(5)[0], log_mel)
    assert not torch.equal(heard_twice(draw, LevelAgreement(1), seed=4)(5)[0], log_mel)


def test_disagreement_is_the_divergence_both_ways():
    first, second = torch.tensor([[0.3, -2.0]]), torch.tensor([[1.1, 0.5]])
    p, q = (torch.distributions.Bernoulli(logits=logits) for logits in (first, second))
    both_ways = torch.distributions.kl_divergence(p, q) + torch.distributions.kl_divergence(q, p)
    torch.testing.assert_close(disagreement(first, second), both_ways.mean())
    assert disagreement(first, first) == 0


def test_the_objective_weighs_disagreement_beside_the_cross_entropy_of_both_halves():
    logits, labels = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1.0]])
    found = objective(LevelAgreement(3))(logits, labels)
    torch.testing.assert_close(found, cross_entropy(logits, labels) + 3 * disagreement(logits[:1], logits[1:]))


@pytest.mark.parametrize(("weight", "brought_together"), [(1000.0, True), (0.0, False)])
def test_training_at_two_levels_brings_their_answers_together(tmp_path: Path, weight: float, brought_together: bool):
    options = replace(SHORT, level_agreement=LevelAgreement(weight))
    torch.set_num_threads(options.threads)  # as training does: the first, orthogonal weights differ with them
    network = new_learner(STANDARDISE, options).network
    twice, _ = heard_twice(draw_shapes, options.level_agreement, options.seed)(0)

    def disagreeing() -> torch.Tensor:
        torch.manual_seed(step_seed(options.seed, 0))  # the dropout of the first update
        return disagreement(*network(twice).chunk(2))

    def train() -> None:
        train_detector(tmp_path, draw_shapes, STANDARDISE, options)
        network.load_state_dict(checkpoint.load(tmp_path)["network"])

    if brought_together:
        assert_learns(network, disagreeing, train)
    else:
        with pytest.raises(AssertionError, match="slope"):
            assert_learns(network, disagreeing, train)


def draw_shapes(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four excerpts whose label is how much they vary, not how loud they are."""
    generator = torch.Generator().manual_seed(step)
    labels = (torch.rand(4, 1, generator=generator) < 0.5).float()
    noise = torch.randn(4, 115, 80, generator=generator)
    return noise * (0.5 + labels[:, :, None]), labels


@pytest.mark.parametrize("change", [{"weight": -1.0}, {"weight": float("nan")}, {"change_db": (3.0, -3.0)}])
def test_options_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        LevelAgreement(**change)

"""The generator's training: what it is drawn from, judged by and resumed to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.linalg
import torch
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.gan.captured import CapturedIteration
from phonoscope_trainer.recipes.gan.excerpts import LogMelBank
from phonoscope_trainer.recipes.gan.frechet import frechet_distance
from phonoscope_trainer.recipes.gan.judge import GeneratorJudge, sheet
from phonoscope_trainer.recipes.gan.learner import Draw, GanLearner
from phonoscope_trainer.recipes.gan.objective import critic_terms
from phonoscope_trainer.recipes.gan.options import GanOptions
from phonoscope_trainer.recipes.gan.training import train_gan
from support.corpora.features import noise_track
from support.learning import assert_learns

OPTIONS = GanOptions(
    iterations=4, critic_updates=2, batch=2, kernels="5x5", averaging=0.5, judge_every=2, judged_excerpts=4,
    checkpoint_every=2, learning_rate=1e-3, critic_learning_rate=1e-3,
)  # fmt: skip


@pytest.fixture(scope="module")
def bank() -> LogMelBank:
    return LogMelBank([[noise_track(300, 0)], [noise_track(200, 1), noise_track(90, 2)]], Frontend())


@pytest.fixture(scope="module")
def judge(bank) -> GeneratorJudge:
    torch.manual_seed(0)
    return GeneratorJudge(bank.draw(4, 9), SVDNet(), Standardise(torch.zeros(80), torch.ones(80)), seed=1)


def draw(bank: LogMelBank, step: int) -> torch.Tensor:
    return bank.draw(4, 0, step)


def test_excerpts_are_stretches_of_the_music_and_every_corpus_is_drawn_equally_often():
    tracks = [noise_track(300, 0)], [noise_track(2000, 1)]
    bank = LogMelBank(tracks, Frontend())
    whole = [Frontend().log_mel(torch.from_numpy(track.magnitudes[0].astype(np.float32))) for (track,) in tracks]
    found = bank.draw(100, 3, 5)
    assert torch.equal(found, bank.draw(100, 3, 5))
    assert not torch.equal(found, bank.draw(100, 3, 6))
    of_corpus = [0, 0]
    for excerpt in found:
        for number, log_mel in enumerate(whole):
            stretches = log_mel.unfold(0, 115, 10).transpose(1, 2)
            of_corpus[number] += bool(((stretches - excerpt).abs().amax(dim=(1, 2)) < 0.01).any())
    assert sum(of_corpus) == 100
    assert 35 < of_corpus[0] < 65
    assert bank.mean() == pytest.approx(torch.cat(whole).mean().item(), abs=1e-3)


def test_a_corpus_without_a_long_enough_track_is_refused():
    with pytest.raises(OptionsError, match="at least 115 frames"):
        LogMelBank([[noise_track(300, 0)], [noise_track(114, 1)]], Frontend())


@pytest.mark.parametrize("features", [1, 5])
def test_the_distance_is_the_formula_of_heusel(features):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(40, features)), 2 + 3 * rng.normal(size=(30, features))
    one, other = (np.cov(x, rowvar=False).reshape(features, features) for x in (real, generated))
    shift = real.mean(0) - generated.mean(0)
    expected = shift @ shift + np.trace(one + other - 2 * scipy.linalg.sqrtm(one @ other).real)
    assert frechet_distance(real, generated) == pytest.approx(expected)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-6)


def test_the_distance_of_responses_is_equation_3_with_unbiased_variances():
    real, generated = np.array([1.0, 2.0, 4.0]), np.array([0.0, 5.0])
    variances = np.var(real, ddof=1), np.var(generated, ddof=1)
    expected = (real.mean() - generated.mean()) ** 2 + sum(variances) - 2 * np.sqrt(np.prod(variances))
    assert frechet_distance(real, generated) == pytest.approx(expected)


def test_the_critic_learns_to_tell_music_from_what_is_generated(bank):
    options = dataclasses.replace(OPTIONS, critic_updates=1)
    learner = GanLearner(options, torch.device("cpu"), bank.mean() - 1)
    drawn = Draw.of(bank.draw(options.batch, 0, 0), 0, options)
    with torch.no_grad():
        generated = learner.generator(drawn.z[0])

    def loss() -> torch.Tensor:
        learner.critic.requires_grad_(requires_grad=True)
        return critic_terms(learner.critic, drawn.real[0], generated, drawn.mixing[0], options.penalty_weight).loss

    assert_learns(learner.critic, loss, lambda: learner.iterate(drawn))


def test_the_generator_that_is_kept_is_a_running_mean(bank):
    learner = GanLearner(OPTIONS, torch.device("cpu"), bank.mean())
    before = [weight.clone() for weight in learner.average.parameters()]
    learner.iterate(Draw.of(draw(bank, 0), 0, OPTIONS))
    for first, now, mean in zip(before, learner.generator.parameters(), learner.average.parameters(), strict=True):
        torch.testing.assert_close(mean, (first + now) / 2)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_killed_run_ends_with_the_generator_of_one_that_was_not(bank, judge, tmp_path, bfloat16):
    options = dataclasses.replace(OPTIONS, bfloat16=bfloat16)

    def killed(step: int) -> torch.Tensor:
        if step == 3:
            raise KeyboardInterrupt
        return draw(bank, step)

    arguments = (bank.mean(), judge, options)
    whole = train_gan(tmp_path / "whole", lambda step: draw(bank, step), *arguments)
    with pytest.raises(KeyboardInterrupt):
        train_gan(tmp_path / "killed", killed, *arguments)
    resumed = train_gan(tmp_path / "killed", lambda step: draw(bank, step), *arguments)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(CheckpointError, match="batch"):
        train_gan(tmp_path / "killed", killed, bank.mean(), judge, dataclasses.replace(options, batch=3))


def test_a_sheet_shows_low_frequencies_below_and_later_frames_to_the_right():
    excerpts = torch.full((2, 115, 80), -14.0)
    excerpts[1, 100, 5] = 2.0  # late, low, in the second excerpt
    picture = sheet(excerpts)[0]
    assert picture.shape == (4 * 83, 6 * 118)
    assert picture.nonzero().tolist() == [[80 - 1 - 5, 118 + 100]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
def test_a_recorded_iteration_learns_what_a_plain_one_does(bank):
    options = dataclasses.replace(OPTIONS, captured=True)
    device = torch.device("cuda")
    plain, recorded = (GanLearner(options, device, bank.mean()) for _ in range(2))
    captured = CapturedIteration(recorded)
    for step in range(6):
        drawn = Draw.of(draw(bank, step).to(device), step, options)
        torch.testing.assert_close(captured.iterate(drawn), plain.iterate(drawn), rtol=1e-2, atol=1e-2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_graphs_without_a_gpu_are_refused(bank, judge, tmp_path):
    with pytest.raises(OptionsError, match="captured"):
        train_gan(tmp_path, lambda step: draw(bank, step), 0.0, judge, dataclasses.replace(OPTIONS, captured=True))


@pytest.mark.parametrize(
    ("field", "value"),
    [("iterations", 0), ("critic_updates", 0), ("learning_rate", 0.0), ("averaging", 1.0), ("judged_excerpts", 1)],
)
def test_an_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        GanOptions(**{field: value})

"""The published recipe: its schedule, its optimiser, its network; and that it resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.commands.detector import run
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector import modern as detector
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions
from phonoscope_trainer.recipes.detector.published_excerpts import PublishedOptions
from phonoscope_trainer.recipes.detector.schlueter2015 import Schlueter2015Options, new_learner, train_detector
from support.corpora.loud_excerpts import draw

STANDARDISE = Standardise(torch.zeros(80), torch.ones(80))
SHORT = Schlueter2015Options(updates=4, epoch_updates=2, checkpoint_every=2, threads=1, device="cpu")


def test_the_defaults_are_the_published_schedule():
    options = Schlueter2015Options()
    assert options.updates == 20 * 2000
    assert (options.epoch_updates, options.excerpts.batch) == (2000, 32)
    assert (options.learning_rate, options.learning_rate_decay, options.momentum) == (0.01, 0.85, 0.95)


def test_the_learning_rate_falls_after_each_epoch():
    learner = new_learner(STANDARDISE, SHORT)
    rates = []
    for _ in range(6):
        rates.append(learner.optimiser.param_groups[0]["lr"])
        learner.optimiser.step()
        learner.schedule.step()
    assert rates == pytest.approx([0.01, 0.01, 0.0085, 0.0085, 0.007225, 0.007225])


def test_updates_follow_nesterovs_momentum():
    learner = new_learner(STANDARDISE, SHORT)
    weight = learner.network.fc9.weight
    expected, velocity = weight.detach().double().numpy(), np.zeros((1, 64))
    for seed in range(5):
        weight.grad = torch.randn(1, 64, generator=torch.Generator().manual_seed(seed))
        velocity = 0.95 * velocity - 0.01 * weight.grad.double().numpy()
        expected = expected + 0.95 * velocity - 0.01 * weight.grad.double().numpy()
        learner.optimiser.step()
    np.testing.assert_allclose(weight.detach(), expected, atol=1e-6)


def test_initial_weights_are_orthogonal_without_batch_normalisation():
    network = new_learner(STANDARDISE, SHORT).network
    assert sum(weight.numel() for weight in network.parameters()) == 1_408_225
    for name in ("conv1", "conv2", "conv4", "conv5", "fc7", "fc8", "fc9"):
        weight = network.get_submodule(name).weight.flatten(1)
        smaller = weight if weight.shape[0] <= weight.shape[1] else weight.T
        torch.testing.assert_close(smaller @ smaller.T, torch.eye(len(smaller)), atol=1e-4, rtol=0)


def test_a_stopped_run_resumes_to_the_same_network(tmp_path):
    class StoppedError(Exception):
        pass

    def until_stopped(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        if step == 3:
            raise StoppedError
        return draw(step)

    whole = train_detector(tmp_path / "whole", draw, STANDARDISE, SHORT)
    with pytest.raises(StoppedError):
        train_detector(tmp_path / "stopped", until_stopped, STANDARDISE, SHORT)
    resumed = train_detector(tmp_path / "stopped", draw, STANDARDISE, SHORT)
    loaded, _ = detector.load_detector(tmp_path / "stopped")
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name])
        assert torch.equal(weight, loaded.state_dict()[name])
    assert checkpoint.options(tmp_path / "whole")["recipe"] == "schlueter-2015"


def test_one_recipe_does_not_go_on_with_the_run_of_another(tmp_path):
    train_detector(tmp_path, draw, STANDARDISE, replace(SHORT, updates=1))
    with pytest.raises(CheckpointError, match="recipe"):
        detector.train_detector(
            tmp_path, draw, STANDARDISE, detector.DetectorOptions(updates=1, threads=1, device="cpu")
        )


@pytest.mark.parametrize(
    "options",
    [
        replace(SHORT, updates=1, excerpts=PublishedOptions(batch=2)),
        detector.DetectorOptions(
            updates=1, threads=1, device="cpu", excerpts=ExcerptOptions(rows=2, excerpts_per_row=2)
        ),
    ],
)
def test_either_recipe_leads_from_features_to_a_network_that_predicts(tmp_path, options):
    rng = np.random.default_rng(0)
    magnitudes = rng.random((1, 300, 372)).astype(np.float16)
    song = Features(Track("a", "a", "train", (), mixture=Path("unread")), magnitudes, rng.random(300) < 0.5)
    run(tmp_path, [[song]], Frontend(), options)
    network, standardise = detector.load_detector(tmp_path)
    log_mel = Frontend().log_mel(torch.from_numpy(magnitudes[:, :115].astype(np.float32)))
    assert standardise(log_mel).std() == pytest.approx(1, abs=0.1)
    with torch.inference_mode():
        assert torch.isfinite(network(standardise(log_mel))).all()


@pytest.mark.parametrize("change", [{"updates": 0}, {"epoch_updates": 0}, {"learning_rate": 0.0}, {"momentum": 1.5}])
def test_options_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        replace(SHORT, **change)

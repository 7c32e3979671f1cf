"""The inverters of any listener's layers: they learn, go on where they were stopped, and say how well they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError, OptionsError
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.listener import Layered, Listener
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.layer_inversion import training
from phonoscope_trainer.recipes.layer_inversion.training import (
    LayerInversionOptions,
    load_layer_inverters,
    new_inverters,
    train_layer_inverters,
)
from torch import nn

PARAMETERS = FrontendParameters(sample_rate_hz=8000, window_samples=256, fft_samples=256, hop_samples=128, bands=12)
FRAMES = 16
SHORT = LayerInversionOptions(updates=60, batch=8, validation_excerpts=8, validate_every=30, learning_rate=1e-2)


@pytest.fixture(scope="module")
def listener():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 8 * 6, 3), nn.Identity()
    )
    layered = Layered(network.eval(), ("1", "3"), channel=True)
    return Listener("mine", PARAMETERS, FRAMES, layered, ("a", "b", "c"), "multi-label", (0.5,) * 3)


@pytest.fixture(scope="module")
def music():
    """Pictures of one loud band each."""
    rng = np.random.default_rng(0)
    log_mel = torch.full((48, FRAMES, 12), -8.0)
    for row in log_mel:
        row[:, int(rng.integers(12))] = -2.0
    return log_mel + 0.1 * torch.from_numpy(rng.standard_normal(log_mel.shape)).float()


def test_what_a_layer_holds_is_learnt_and_what_it_lost_is_not(listener, music, tmp_path):
    found = train_layer_inverters(tmp_path / "run", listener, music[:36], music[36:], SHORT)
    assert list(found.inverters) == ["1", "3"]
    assert all(len(each) == 101 for each in found.error_quantiles.values())
    pooled, three_numbers = (found.error_quantiles[layer][50] for layer in ("1", "3"))
    assert pooled < 0.5 < three_numbers
    assert found.mean_distance > 0


def test_a_run_that_was_stopped_goes_on_to_the_same_end(listener, music, tmp_path, monkeypatch):
    whole = train_layer_inverters(tmp_path / "whole", listener, music[:36], music[36:], SHORT)
    stopping = training.LayerInversionLearner.update

    def stop(self, step):
        if step == 40:
            raise KeyboardInterrupt
        return stopping(self, step)

    monkeypatch.setattr(training.LayerInversionLearner, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        train_layer_inverters(tmp_path / "stopped", listener, music[:36], music[36:], SHORT)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="is not finished"):
        load_layer_inverters(tmp_path / "stopped", listener)
    again = train_layer_inverters(tmp_path / "stopped", listener, music[:36], music[36:], SHORT)
    for layer, inverter in whole.inverters.items():
        torch.testing.assert_close(dict(inverter.named_parameters()), dict(again.inverters[layer].named_parameters()))


def test_a_run_of_another_listener_is_refused(listener, music, tmp_path):
    train_layer_inverters(tmp_path / "run", listener, music[:36], music[36:], replace(SHORT, updates=2))
    assert isinstance(listener.network, Layered)
    other = replace(listener, network=Layered(listener.network.network, ("3",), channel=True))
    with pytest.raises(CheckpointError, match="inverts 1, which mine has not"):
        load_layer_inverters(tmp_path / "run", other)
    assert checkpoint.options(tmp_path / "run")["updates"] == 2


def test_layers_that_are_not_there_are_named(listener):
    assert list(new_inverters(listener, ("3",))) == ["3"]
    with pytest.raises(OptionsError, match="mine has no 'conv9'; it has 1, 3"):
        new_inverters(listener, ("conv9",))

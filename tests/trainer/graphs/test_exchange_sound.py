"""The exchange as sound: the right content at the right place, as loud as the excerpt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.bank import FULL_SCALE
from phonoscope_trainer.graphs.exchange import level
from phonoscope_trainer.graphs.exchange_sound import ExchangeSoundGraph
from phonoscope_trainer.graphs.exchange_trials import drawn
from support.bundles.small_bank import SOUNDS, small_bank
from support.corpora.music import melody

CARRIED, SILHOUETTE = 0, 1
SAMPLES = torch.from_numpy(melody(4, 3)[:36934])[None]
LOG_MEL = Frontend()(SAMPLES)
INNER = slice(2048, -2048)


@pytest.fixture(scope="module")
def bank():
    return small_bank()


@pytest.fixture(scope="module")
def graph(bank):
    return ExchangeSoundGraph(bank, FRONTEND)


def audio(graph, region, trial, *, vocal=1, seed=3, samples=SAMPLES, log_mel=LOG_MEL):
    numbers = (torch.tensor([[each]], dtype=torch.int32) for each in (vocal, trial, 0, seed))
    return graph(samples, log_mel, region[None], *numbers)[0]


def host_of(bank, vocal=1, seed=3):
    """The sound of the host, and of the third excerpt, as the bank has them."""
    given = (torch.tensor([[each]], dtype=torch.int32) for each in (seed, 0))
    host, third, _ = drawn(*given, SOUNDS)
    return [bank.sound[1 - vocal, int(each)] / FULL_SCALE for each in (host, third)]


def alike(one, other) -> float:
    """Correlation of two sounds."""
    return float(torch.corrcoef(torch.stack([one[INNER], other[INNER]]))[0, 1])


def test_nothing_carried_is_the_host_as_loud_as_the_excerpt(graph, bank):
    nothing = torch.zeros(115, 80)
    host, _ = host_of(bank)
    for gain in (0.1, 1.0):
        found = audio(graph, nothing, CARRIED, samples=gain * SAMPLES, log_mel=LOG_MEL + np.log(gain))
        assert alike(found, host) > 0.9999
        wanted = float(level(LOG_MEL + np.log(gain)))
        assert float(level(Frontend()(found[None]))) == pytest.approx(wanted, abs=0.05)


def test_everything_carried_is_the_excerpt_as_far_as_bands_hear(graph):
    assert alike(audio(graph, torch.ones(115, 80), CARRIED), SAMPLES[0]) > 0.99


def test_of_the_silhouette_the_excerpt_is_not_heard(graph, bank):
    _, third = host_of(bank)
    found = audio(graph, torch.ones(115, 80), SILHOUETTE)
    assert alike(found, third) > 0.99
    assert abs(alike(found, SAMPLES[0])) < 0.3


def test_a_region_in_time_is_heard_at_that_time(graph, bank):
    early = torch.zeros(115, 80)
    early[:57] = 1
    found, (host, _), middle = audio(graph, early, CARRIED), host_of(bank), 57 * 315
    assert alike(found[: middle - 2048], SAMPLES[0, : middle - 2048]) > 0.99
    assert alike(found[middle + 2048 :], host[middle + 2048 :]) > 0.99

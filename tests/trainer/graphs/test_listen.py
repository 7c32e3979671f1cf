"""Explanations as sound: identity, silence, the right place in time and frequency."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.frontends.mel import FRONTEND, band_peaks_hz, triangles
from phonoscope_trainer.graphs.listen import ListenGraph, bin_weights_of_bands
from support.corpora.music import melody

SAMPLES = 36934
EDGE = 1024  # samples at either end that fewer windows cover


@pytest.fixture(scope="module")
def graph() -> ListenGraph:
    return ListenGraph(FRONTEND)


def tone(hz: float) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hz * torch.arange(SAMPLES) / 22050)[None]


def listen(graph: ListenGraph, samples: torch.Tensor, mask: torch.Tensor, outside_gain: float = 0.0) -> torch.Tensor:
    return graph(samples, mask, torch.full((len(samples), 1), outside_gain))


def snr_db(wanted: torch.Tensor, found: torch.Tensor) -> float:
    wanted, found = wanted[:, EDGE:-EDGE], found[:, EDGE:-EDGE]
    return float(10 * torch.log10(wanted.square().sum() / (wanted - found).square().sum()))


def test_everything_kept_at_full_gain_is_the_original(graph):
    samples = torch.from_numpy(melody(2)[:SAMPLES])[None]
    assert snr_db(samples, listen(graph, samples, torch.zeros(1, 115, 80), outside_gain=1)) > 80


def test_everything_kept_loses_only_what_no_band_hears(graph):
    assert snr_db(tone(1000), listen(graph, tone(1000), torch.ones(1, 115, 80))) > 60
    assert listen(graph, tone(9500), torch.ones(1, 115, 80)).abs().max() < 1e-2


def test_nothing_kept_is_silence(graph):
    assert torch.all(listen(graph, tone(1000), torch.zeros(1, 115, 80)) == 0)


@pytest.mark.parametrize("decibels", [-6, -15, -25])
def test_outside_the_region_sound_is_attenuated_by_the_gain_asked_for(graph, decibels):
    gain = 10 ** (decibels / 20)
    quiet = listen(graph, tone(1000), torch.zeros(1, 115, 80), gain)
    assert snr_db(gain * tone(1000), quiet) > 60


def test_a_region_in_time_is_heard_at_that_time(graph):
    mask = torch.zeros(1, 115, 80)
    mask[:, :57] = 1
    audio = listen(graph, tone(500), mask)[0]
    middle = 57 * 315
    assert audio[EDGE : middle - EDGE].square().mean() > 0.4
    assert audio[middle + EDGE : -EDGE].square().mean() < 1e-6


def test_a_region_in_frequency_lets_only_those_frequencies_through(graph):
    mask = torch.zeros(1, 115, 80)
    mask[:, :, band_peaks_hz()[1:-1] < 800] = 1
    both = tone(300) + tone(3000)
    assert snr_db(tone(300), listen(graph, both, mask)) > 40


def test_each_fourier_bin_is_a_mean_of_the_bands_that_hear_it():
    weights, heard = bin_weights_of_bands(FRONTEND, 513), triangles(FRONTEND, 513).sum(axis=1) > 0
    np.testing.assert_allclose(weights.sum(axis=0)[heard], 1)
    assert np.all(weights.sum(axis=0)[~heard] == 0)


def test_the_ends_of_the_excerpt_do_not_explode(graph):
    loud = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (1, SAMPLES)).astype(np.float32))
    mask = torch.from_numpy((np.random.default_rng(1).random((1, 115, 80)) < 0.5).astype(np.float32))
    assert listen(graph, loud, mask).abs().max() < 2

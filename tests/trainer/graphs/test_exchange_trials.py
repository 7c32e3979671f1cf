"""What is tried on a region in other music, against a slow reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.bank import unpacked
from phonoscope_trainer.graphs.exchange import level
from phonoscope_trainer.graphs.exchange_trials import TRIALS, ExchangeGraph, drawn
from phonoscope_trainer.networks.standardise import Standardise
from support.bundles.small_bank import EXCERPTS, small_bank
from support.corpora.music import melody
from support.corpora.reference_exchange import loudness, reference_draw, reference_picture

SEEDS = (0, 1, 2018, 262143, 262144, 2**31 - 1)


@pytest.fixture(scope="module")
def bank():
    return small_bank()


@pytest.fixture(scope="module")
def log_mel():
    return Frontend()(torch.from_numpy(melody(4, 3)[:36934])[None])[0]


@pytest.fixture(scope="module")
def graph(bank):
    return ExchangeGraph(bank, Standardise(torch.zeros(80), torch.ones(80)))


def a_region(seed: int = 0) -> torch.Tensor:
    region = torch.zeros(115, 80)
    region[20 + seed : 70, 10:50] = 1
    region[80:90, 60:70] = 1
    return region


def pictures(graph, log_mel, region, vocal, rows):
    """Of `rows` of trial, draw and seed."""
    trial, draw, seed = (torch.tensor(each, dtype=torch.int32)[:, None] for each in zip(*rows, strict=True))
    count = len(rows)
    answer = torch.full((count, 1), vocal, dtype=torch.int32)
    return graph(log_mel.expand(count, -1, -1), region.expand(count, -1, -1), answer, trial, draw, seed).numpy()


@pytest.mark.parametrize("vocal", [0, 1])
@pytest.mark.parametrize("trial", TRIALS)
def test_a_picture_is_what_its_trial_says(graph, bank, log_mel, trial, vocal):
    seeds = [(seed, draw) for seed in SEEDS[:3] for draw in (0, 2)]
    found = pictures(graph, log_mel, a_region(), vocal, [(TRIALS.index(trial), draw, seed) for seed, draw in seeds])
    music = unpacked(bank.log_mel, bank.step).double().numpy()
    for (seed, draw), picture in zip(seeds, found, strict=True):
        host, third, other = reference_draw(seed, draw, EXCERPTS)
        expected = reference_picture(
            trial,
            log_mel.double().numpy(),
            a_region().numpy() == 1,
            music[1 - vocal, host],
            music[1 - vocal, third],
            bank.ranks[vocal, other].numpy().astype(float),
        )
        np.testing.assert_allclose(picture, expected, atol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_are_those_of_whole_numbers_without_a_limit(seed):
    for draw in range(5):
        given = (torch.tensor([[number]], dtype=torch.int32) for number in (seed, draw))
        assert tuple(int(each) for each in drawn(*given, 16)) == reference_draw(seed, draw, 16)


def test_hosts_differ_from_draw_to_draw_and_are_never_their_own_third():
    seed = torch.arange(500, dtype=torch.int32)[:, None]
    hosts = []
    for draw in range(16):
        host, third, _ = drawn(seed, torch.full_like(seed, draw), 16)
        assert not (host == third).any()
        hosts.append(host)
    assert all(len(set(row)) == 16 for row in torch.cat(hosts, dim=1).tolist())
    first = np.bincount(hosts[0][:, 0].numpy(), minlength=16)
    assert first.min() > 10, "every excerpt is drawn about as often"


def test_trials_of_one_draw_have_the_same_host(graph, log_mel):
    carried, silhouette = pictures(graph, log_mel, a_region(), 1, [(0, 1, 7), (1, 1, 7)])
    outside = a_region().numpy() == 0
    np.testing.assert_array_equal(carried[outside], silhouette[outside])
    assert (carried[~outside] != silhouette[~outside]).mean() > 0.9


def test_every_region_has_as_many_bins(graph, log_mel):
    found = pictures(
        graph, log_mel, a_region(), 1, [(TRIALS.index(each), 0, 5) for each in ("carried", "shifted", "other")]
    )
    for picture in found:
        own = np.isclose(picture, log_mel.numpy(), atol=1e-6)
        assert abs(own.sum() - int(a_region().sum())) <= 3, "a bin of the host may be the excerpt's by chance"


def test_all_music_is_as_loud_as_the_excerpt_however_loud_that_is(graph, log_mel):
    nothing = torch.zeros(115, 80)
    for gain in (-2.0, 0.0, 2.0):
        (host,) = pictures(graph, log_mel + gain, nothing, 0, [(0, 0, 1)])
        assert float(level(torch.from_numpy(host))) == pytest.approx(float(level(log_mel + gain)), abs=0.02)
        assert np.log(loudness(host.astype(float))) == pytest.approx(float(level(log_mel + gain)), abs=0.02)


def test_the_whole_excerpt_carried_is_the_excerpt_and_removed_is_the_host(graph, log_mel):
    carried, removed = pictures(graph, log_mel, torch.ones(115, 80), 1, [(0, 0, 1), (2, 0, 1)])
    (host,) = pictures(graph, log_mel, torch.zeros(115, 80), 1, [(0, 0, 1)])
    np.testing.assert_allclose(carried, log_mel, atol=1e-6)
    np.testing.assert_allclose(removed, host, atol=1e-5)


def test_pictures_are_standardised(bank, log_mel):
    graph = ExchangeGraph(bank, Standardise(torch.linspace(-8, -2, 80), torch.full((80,), 2.0)))
    (carried,) = pictures(graph, log_mel, torch.ones(115, 80), 1, [(0, 0, 1)])
    np.testing.assert_allclose(carried, (log_mel - torch.linspace(-8, -2, 80)) / 2, atol=1e-5)

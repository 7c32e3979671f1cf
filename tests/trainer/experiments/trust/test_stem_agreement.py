"""Regions against the voice: shares, mass, rank and the pointing game, each against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.controls import ranks
from phonoscope_trainer.experiments.trust.stem_agreement import (
    pointing_game,
    relevance_mass,
    relevance_rank,
    voice_share,
)
from phonoscope_trainer.experiments.trust.stems import StemOptions, sung_excerpts
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend, mel_filterbank
from phonoscope_trainer.measures.bootstrap import mean_interval
from support.corpora.features import noise_track

RNG = np.random.default_rng(0)
SHARE = torch.from_numpy(RNG.random((3, 6, 5)))
RELEVANCE = torch.from_numpy(RNG.random((3, 6, 5)))


def test_the_share_is_of_energy_and_silence_has_none():
    voice, accompaniment = np.zeros((2, 2, 372))
    voice[0, 100], accompaniment[0, 100] = 3.0, 4.0
    filterbank = mel_filterbank(FRONTEND)
    share = voice_share(*(torch.from_numpy(part) for part in (voice, accompaniment, filterbank))).numpy()
    heard = filterbank[100] > 0
    np.testing.assert_allclose(share[0, heard], 9 / 25)
    assert not share[0, ~heard].any()
    assert not share[1].any()


def test_mass_is_the_part_of_all_relevance_that_falls_to_the_voice():
    expected = [
        sum(r * s for r, s in zip(relevance.ravel(), share.ravel(), strict=True)) / relevance.sum()
        for relevance, share in zip(RELEVANCE.numpy(), SHARE.numpy(), strict=True)
    ]
    np.testing.assert_allclose(relevance_mass(RELEVANCE, SHARE), expected)
    region = RELEVANCE > 0.7
    np.testing.assert_allclose(relevance_mass(region.double(), SHARE)[0], SHARE[0][region[0]].mean())
    assert relevance_mass(torch.zeros(1, 6, 5), SHARE[:1].float()).tolist() == [0]


def test_rank_counts_the_voice_among_as_many_bins_as_it_has():
    for relevance, share, found in zip(RELEVANCE, SHARE, relevance_rank(ranks(RELEVANCE), SHARE), strict=True):
        voice = {place for place, value in enumerate(share.ravel()) if value > 0.5}
        first = set(np.argsort(-relevance.numpy().ravel())[: len(voice)].tolist())
        assert float(found) == pytest.approx(len(voice & first) / len(voice))


def test_the_pointing_game_asks_for_the_most_relevant_bin_alone():
    expected = [float(s.ravel()[r.argmax()] > 0.5) for r, s in zip(RELEVANCE, SHARE, strict=True)]
    assert pointing_game(ranks(RELEVANCE), SHARE).tolist() == expected


@pytest.mark.filterwarnings("ignore")  # Quantus warns of its own parameters
def test_mass_rank_and_pointing_are_those_of_quantus_where_the_truth_is_a_mask():
    quantus = pytest.importorskip("quantus", reason="LGPL, so optional: pip install 'phonoscope[quantus]'")
    truth = (SHARE > 0.5).double()
    ours = {
        quantus.RelevanceMassAccuracy: relevance_mass(RELEVANCE, truth),
        quantus.RelevanceRankAccuracy: relevance_rank(ranks(RELEVANCE), truth),
        quantus.PointingGame: pointing_game(ranks(RELEVANCE), truth),
    }
    for metric, found in ours.items():
        theirs = metric(abs=False, normalise=False, disable_warnings=True)(
            torch.nn.Identity(),
            RNG.random((3, 1, 6, 5)),
            np.zeros(3, int),
            RELEVANCE.numpy()[:, None],
            truth.numpy()[:, None],
            channel_first=True,
            device="cpu",
        )
        np.testing.assert_allclose(found, np.array(theirs, float), rtol=1e-6, err_msg=metric.__name__)


def test_an_interval_is_that_of_redrawn_songs():
    values, song = RNG.random(30), np.arange(30) % 4
    found = mean_interval(values, song)
    assert found["mean"] == pytest.approx(values.mean())
    rng = np.random.default_rng(0)
    means = []
    for counts in rng.multinomial(4, np.full(4, 0.25), 2000):
        drawn = np.concatenate([np.tile(values[song == s], count) for s, count in enumerate(counts)])
        means.append(drawn.mean())
    np.testing.assert_allclose((found["low"], found["high"]), np.quantile(means, (0.025, 0.975)))
    assert mean_interval(values, np.zeros(30, int))["low"] is None


def test_music_without_stems_is_refused_by_name():
    with pytest.raises(CorpusError, match="noise: noise-1 has no stems"):
        sung_excerpts("noise", [noise_track(200, 1, sung=True)], Frontend(), None, StemOptions())

"""Localisation: who points at the part that has the label, where loudness does not tell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.trust import joined
from phonoscope_trainer.experiments.trust.joined import measure_joined, summary_of
from phonoscope_trainer.experiments.trust.joined_singing import joined_singing
from phonoscope_trainer.experiments.trust.localisation import LocalisationOptions, aucs, frame_scores
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.graphs.exchange import level
from phonoscope_trainer.networks.listener import Layered, Listener
from torch import nn

OPTIONS = LocalisationOptions(excerpts=8, songs=2, batch=4)
PARAMETERS = FrontendParameters(sample_rate_hz=8000, window_samples=256, fft_samples=256, hop_samples=128, bands=12)


def recording(name, *, sung, loud, seed):
    rng = np.random.default_rng(seed)
    magnitudes = loud * (0.5 + rng.random((1, 400, FRONTEND.bins)))
    track = Track(name, name, "test", (), mixture=Path("unread"))
    return Features(track, magnitudes.astype(np.float16), np.full(400, sung))


def everything_is_vocal(log_mel):
    return torch.ones(len(log_mel), dtype=torch.bool)


def test_the_order_of_frames_is_judged_excerpt_by_excerpt():
    relevance = torch.zeros(2, 4, 3)
    relevance[0, :2] = 1.0
    relevance[1, 2:] = 1.0
    has = np.array([[True, True, False, False]] * 2)
    assert aucs(frame_scores(relevance), has).tolist() == [1.0, 0.0]
    assert np.isnan(aucs(frame_scores(relevance), np.ones_like(has))).all()


def test_joined_singing_is_as_loud_as_what_it_is_joined_to():
    tracks = [recording("sung", sung=True, loud=1.0, seed=0), recording("other", sung=False, loud=0.3, seed=1)]
    explained = SimpleNamespace(is_vocal=everything_is_vocal)
    found = joined_singing("two", tracks, Frontend(FRONTEND), explained, OPTIONS)
    assert len(found) == OPTIONS.excerpts
    assert set(found.track.tolist()) == {0}
    share = found.sung.mean(axis=1)
    assert ((share > 0.29) & (share < 0.71)).all()
    for log_mel, sung in zip(found.log_mel, found.sung, strict=True):
        assert np.count_nonzero(np.diff(sung)) == 1
        assert float((level(log_mel[sung]) - level(log_mel[~sung])).abs()) < 0.3
    energy = aucs(frame_scores(found.log_mel), found.sung)
    assert abs(energy.mean() - 0.5) < 0.25


def test_silence_is_not_joined_and_a_corpus_that_always_sings_says_so():
    sung, silent = (
        recording("sung", sung=True, loud=1.0, seed=0),
        recording("silent", sung=False, loud=1e-3, seed=1),
    )
    explained = SimpleNamespace(is_vocal=everything_is_vocal)
    with pytest.raises(CorpusError, match="calls no joined excerpt vocal"):
        joined_singing("one", [sung, silent], Frontend(FRONTEND), explained, OPTIONS)
    with pytest.raises(CorpusError, match=r"one: of music it has 286 sung excerpts and 0 others"):
        joined_singing("one", [sung], Frontend(FRONTEND), explained, OPTIONS)
    assert len(sung.labels) - EXCERPT_FRAMES + 1 == 286


def listener():
    """Each of two labels is a half of the bands."""
    halves = nn.Linear(12, 2)
    with torch.no_grad():
        halves.weight.zero_()
        halves.weight[0, :6] = halves.weight[1, 6:] = 0.3
        halves.bias.zero_()
    network = nn.Sequential(nn.AdaptiveAvgPool2d((1, 12)), nn.Flatten(), halves).eval()
    layered = Layered(network.requires_grad_(requires_grad=False), (), channel=True)
    return Listener("halves", PARAMETERS, 40, layered, ("low", "high"), "multi-class")


class Served:
    """A listener whose one rule points at the bands of the label."""

    def __init__(self, trained):
        self.listener, self.network = trained, trained.network
        self.rules, self.alphas, self.default = {"right": None}, {"right": 0.5}, "right"

    def relevance(self, rule, log_mel, label):
        assert rule == "right"
        bands = (torch.arange(12) // 6 == label).float()
        return bands[:, None] * torch.sigmoid(4 * (log_mel + 6))


def arrangements(song, trained):
    """Two sounds as loud as each other, one of low bands and one of high ones."""
    rng = np.random.default_rng(song)
    found = {}
    for number in range(2):
        log_mel = torch.full((trained.frames, 12), -9.0) + 0.3 * torch.from_numpy(rng.standard_normal((40, 12))).float()
        log_mel[:, 6 * number : 6 * number + 6] += 6
        found[number] = log_mel
    return found


def test_a_rule_that_points_at_the_part_with_the_label_is_above_loudness(monkeypatch):
    monkeypatch.setattr(joined, "_arrangements", arrangements)
    trained = listener()
    shown = joined.joined_genres(Served(trained), OPTIONS, lambda rows, _what: rows)
    assert 0 < len(shown) <= 4
    assert shown.has.any(axis=1).all()
    assert not shown.has.all(axis=1).any()
    values = measure_joined(shown, Served(trained), trained, OPTIONS, lambda rows, _what: rows)
    found = summary_of(shown, values)
    assert found["n"] == len(shown)
    assert found["time"]["default"]["mean"] > 0.95
    assert abs(found["time"]["energy"]["mean"] - 0.5) < 0.3
    assert found["ff"]["default"]["mean"] > found["ff"]["random"]["mean"]


@pytest.mark.parametrize("given", [{"excerpts": 0}, {"songs": 0}, {"least_share": 0.6}])
def test_options_out_of_range_are_refused(given):
    with pytest.raises(OptionsError, match=next(iter(given))):
        LocalisationOptions(**given)

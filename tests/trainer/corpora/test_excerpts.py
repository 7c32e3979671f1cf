"""Places where excerpts begin: all of them, each drawn equally often, and what stands there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.excerpts import drawn_places, every_place, log_mel_at, place_counts, random_excerpts
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import Frontend
from support.corpora.features import noise_track

TRACKS = [noise_track(117, 0), noise_track(90, 1), noise_track(140, 2), noise_track(115, 3)]


@pytest.mark.parametrize("hop", [1, 10])
def test_every_place_has_room_for_an_excerpt(hop):
    expected = [(t, f) for t, track in enumerate(TRACKS) for f in range(0, len(track.labels) - 115 + 1, hop)]
    assert every_place(TRACKS, hop).tolist() == [list(place) for place in expected]
    assert place_counts(TRACKS, hop).tolist() == [sum(t == track for t, _ in expected) for track in range(4)]
    assert every_place(TRACKS[1:2]).shape == (0, 2)


def test_every_place_is_drawn_equally_often():
    counts = place_counts(TRACKS, 10)
    drawn = drawn_places(counts, 4000, np.random.default_rng(0), 10)
    places, often = np.unique(drawn, axis=0, return_counts=True)
    assert places.tolist() == every_place(TRACKS, 10).tolist()
    np.testing.assert_allclose(often / 4000, 1 / len(places), atol=0.03)


def test_what_stands_at_a_place_is_the_recordings_own_log_mel():
    frontend = Frontend()
    found = log_mel_at(TRACKS, [(2, 7), (0, 2)], frontend)
    for row, (track, first) in enumerate([(2, 7), (0, 2)]):
        whole = frontend.log_mel(torch.from_numpy(TRACKS[track].magnitudes[0].astype(np.float32)))
        torch.testing.assert_close(found[row], whole[first : first + 115])
    assert log_mel_at(TRACKS, [(2, 7)], frontend, frames=116).shape == (1, 116, 80)


def test_a_seed_says_which_excerpts_are_drawn():
    one, again, other = (random_excerpts(TRACKS, 5, Frontend(), seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_music_too_short_for_an_excerpt_is_refused():
    with pytest.raises(CorpusError, match="no track has the 115 frames"):
        random_excerpts(TRACKS[1:2], 5, Frontend(), 0)

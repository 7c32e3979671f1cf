"""Training batches: repeatable, aligned, mixed as they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions, ExcerptSampler, balance
from phonoscope_trainer.recipes.detector.hidden import UNHIDDEN
from phonoscope_trainer.recipes.detector.lone_voice import UNPRODUCED
from phonoscope_trainer.recipes.detector.variation import UNVARIED

STILL = ExcerptOptions(
    rows=3,
    excerpts_per_row=4,
    remix_share=0,
    accompanied_share=0,
    lone_voice=UNPRODUCED,
    variation=UNVARIED,
    hidden=UNHIDDEN,
)


def track(name: str, frames: int = 400, *, stems: bool = True, sung: slice = slice(0, 0), kind: str = "") -> Features:
    """A track whose first bin says which frame it is, so that labels can be checked against magnitudes."""
    rng = np.random.default_rng(len(name))
    magnitudes = rng.uniform(0.1, 1, (3 if stems else 1, frames, 372)).astype(np.float16)
    labels = np.zeros(frames, bool)
    labels[sung] = True
    magnitudes[:, :, :40] = np.where(labels, 100, 0.01)[None, :, None]
    files = {"voice": Path("v"), "accompaniment": Path("a")} if stems else {"mixture": Path("m")}
    return Features(Track(name, name, "train", (), kind=kind, **files), magnitudes, labels)


def sampler(options: ExcerptOptions, *corpora: list[Features], seed: int = 0) -> ExcerptSampler:
    return ExcerptSampler(corpora, Frontend(), options, seed)


def test_a_batch_depends_on_seed_and_step_alone():
    tracks = [track("a", sung=slice(100, 250)), track("bb")]
    options = ExcerptOptions(rows=2, excerpts_per_row=3)
    one, other = sampler(options, tracks), sampler(options, tracks)
    one.batch(0)
    for left, right in zip(one.batch(7), other.batch(7), strict=True):
        torch.testing.assert_close(left, right, atol=0, rtol=0)
    assert not torch.equal(one.batch(7)[0], one.batch(8)[0])
    assert not torch.equal(one.batch(7)[0], sampler(options, tracks, seed=1).batch(7)[0])


def test_a_batch_has_a_label_for_each_excerpt_nine_frames_apart():
    log_mel, labels = sampler(STILL, [track("a")]).batch(0)
    assert log_mel.shape == (3, 115 + 9 * 3, 80)
    assert labels.shape == (3, 4)


@pytest.mark.parametrize("stretch", [(1.0, 1.0), (0.75, 0.75), (1.3, 1.3)])
def test_each_label_is_that_of_the_excerpts_centre_frame(stretch):
    options = replace(STILL, variation=replace(UNVARIED, stretch=stretch), rows=8)
    source = track("a", frames=600, sung=slice(200, 400))
    for step in range(3):
        log_mel, labels = sampler(options, [source]).batch(step)
        loud = log_mel[:, 57 : 57 + 9 * 4 : 9, 0] > 0
        edge = (log_mel[:, 55 : 55 + 9 * 4 : 9, 0] > 0) != (log_mel[:, 59 : 59 + 9 * 4 : 9, 0] > 0)
        assert torch.equal((labels > 0.5)[~edge], loud[~edge])


def test_without_the_voice_nothing_is_sung():
    options = replace(STILL, remix_share=1, no_voice_share=1, only_voice_share=0)
    _, labels = sampler(options, [track("a", sung=slice(0, 400))]).batch(0)
    assert torch.all(labels == 0)


def test_tracks_without_stems_are_taken_as_they_are():
    options = replace(STILL, remix_share=1, no_voice_share=1)
    _, labels = sampler(options, [track("a", stems=False, sung=slice(0, 400))]).batch(0)
    assert torch.all(labels == 1)


@pytest.mark.parametrize("voice_db", [-10, 0, 10])
def test_voice_is_brought_to_the_asked_level_over_the_accompaniment(voice_db):
    voice, accompaniment = 0.001 * torch.rand(200, 372), torch.rand(200, 372)
    balanced = voice * balance(voice, accompaniment, voice_db)
    ratio = 10 * torch.log10(balanced.square().mean() / accompaniment.square().mean())
    assert ratio == pytest.approx(voice_db, abs=1e-3)


def test_silent_stems_are_left_as_they_are():
    assert balance(torch.zeros(5, 5), torch.ones(5, 5), 10) == 1


def test_a_lone_voice_is_put_over_music_in_which_nobody_sings():
    voice = track("voice", stems=False, sung=slice(0, 400), kind="voice")
    music = [track("band", stems=False), track("song", stems=False, sung=slice(0, 400))]
    options = replace(STILL, rows=64, excerpts_per_row=1, accompanied_share=1, foreign_voice_db=(-60, -60))
    drawn = sampler(options, [voice])
    assert drawn.batch(0)[0].amax() == sampler(STILL, [voice]).batch(0)[0].amax(), "there is no music: it stays alone"
    mixed = sampler(options, [voice], music)
    assert [pool[0].track.name for pool in mixed.accompaniments.pools] == ["band"]
    log_mel, labels = mixed.batch(0)
    quiet = log_mel[:, :, 0].amax(1) < 0  # the band is loud in no frame, the voice and the song in all of theirs
    assert labels[quiet].any(), "a voice 60 dB under the band is still sung"


@pytest.mark.parametrize("kind", ["speech", "played"])
def test_speech_and_what_sways_are_as_lone_as_a_voice_and_never_sung(kind):
    lone, band = track(kind, stems=False, kind=kind), track("band", stems=False)
    mixed = sampler(replace(STILL, rows=8, accompanied_share=1), [lone], [band])
    assert [pool[0].track.name for pool in mixed.accompaniments.pools] == ["band"], "they accompany nobody"
    assert not mixed.batch(0)[1].any()


def test_what_nobody_knows_stays_unknown_in_a_batch():
    known = track("a", stems=False)
    unknown = replace(known, taught=np.where(np.arange(400) < 200, np.nan, 0.75).astype(np.float32))
    _, labels = sampler(replace(STILL, rows=16), [unknown]).batch(0)
    assert set(np.unique(labels)[:2].tolist()) >= {0.75}
    assert labels.isnan().any()


def test_each_kind_of_a_corpus_is_drawn_by_the_root_of_its_length():
    corpus = [track("a", 400, kind="songs"), *(track(f"b{i}", 400, kind="silver") for i in range(4))]
    assert sampler(STILL, corpus).music.shares.tolist() == pytest.approx([1 / 3, 2 / 3])


def test_tracks_shorter_than_a_batch_row_are_repeated():
    log_mel, _ = sampler(STILL, [track("a", frames=50)]).batch(0)
    torch.testing.assert_close(log_mel[:, 50:100], log_mel[:, :50])


def test_corpora_are_drawn_by_the_root_of_their_length():
    small, large = [track("a", 400, sung=slice(0, 400))], [track(f"b{i}", 720) for i in range(5)]
    drawn = sampler(replace(STILL, rows=64, excerpts_per_row=1), small, large)
    share = torch.stack([drawn.batch(step)[1].mean() for step in range(4)]).mean()
    assert share == pytest.approx(20 / (20 + 60), abs=0.08)


def test_a_corpus_without_training_tracks_is_refused():
    with pytest.raises(OptionsError, match="at least one track"):
        sampler(STILL, [])


def test_options_outside_their_range_are_refused_by_name():
    with pytest.raises(OptionsError, match="rows"):
        replace(STILL, rows=0)

"""Training batches: repeatable, aligned, mixed as they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.recipes.detector.excerpts import ExcerptOptions, ExcerptSampler, balance

STILL = ExcerptOptions(
    rows=3,
    excerpts_per_row=4,
    stretch=(1, 1),
    shift=(1, 1),
    level_db=0,
    filter_db=0,
    noise_share=0,
    remix_share=0,
)


def track(name: str, frames: int = 400, *, stems: bool = True, sung: slice = slice(0, 0)) -> Features:
    """A track whose first bin says which frame it is, so that labels can be checked against magnitudes."""
    rng = np.random.default_rng(len(name))
    magnitudes = rng.uniform(0.1, 1, (3 if stems else 1, frames, 372)).astype(np.float16)
    labels = np.zeros(frames, bool)
    labels[sung] = True
    magnitudes[:, :, :40] = np.where(labels, 100, 0.01)[None, :, None]
    return Features(Track(name, name, "train", (), mixture=None, voice="v", accompaniment="a"), magnitudes, labels)  # type: ignore[arg-type]  # nothing is read from these files


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
    options = replace(STILL, stretch=stretch, rows=8)
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
    rng = np.random.default_rng(0)
    voice, accompaniment = 0.001 * rng.random((200, 372), np.float32), rng.random((200, 372), np.float32)
    balanced = voice * balance(voice, accompaniment, voice_db)
    ratio = 10 * np.log10(np.square(balanced).mean() / np.square(accompaniment).mean())
    assert ratio == pytest.approx(voice_db, abs=1e-3)


def test_silent_stems_are_left_as_they_are():
    assert balance(np.zeros((5, 5), np.float32), np.ones((5, 5), np.float32), 10) == 1


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


@pytest.mark.parametrize("change", [{"rows": 0}, {"stretch": (1.2, 0.8)}, {"shift": (0.1, 1.0)}, {"level_db": -1.0}])
def test_options_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        replace(STILL, **change)

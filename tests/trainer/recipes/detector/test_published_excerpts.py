"""Batches of the published recipe: every excerpt in its turn, labelled by its centre, varied as asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend, mel_filterbank
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes.detector.published_excerpts import STUDIED, PublishedOptions, PublishedSampler

STILL = PublishedOptions(batch=8, pitch_shift=0, time_stretch=0, filter_db=0)
STANDARDISE = Standardise(torch.linspace(-3, -1, 80), torch.linspace(1, 2, 80))


def track(frames: int = 160, *, sung: slice = slice(0, 0), level: float = 1.0) -> Features:
    """A track whose level in each frame is different, so that a frame can be told from the others."""
    magnitudes = level * np.linspace(1, 2, frames)[None, :, None] * np.ones((1, frames, 372))
    labels = np.zeros(frames, bool)
    labels[sung] = True
    return Features(Track("a", "a", "train", (), mixture=Path("unread")), magnitudes.astype(np.float16), labels)


def sampler(options: PublishedOptions, *tracks: Features, seed: int = 0) -> PublishedSampler:
    return PublishedSampler(tracks, Frontend(), STANDARDISE, options, seed)


def first_frame(log_mel: torch.Tensor, of: Features) -> list[int]:
    """The frame of the track that each excerpt begins with."""
    levels = of.magnitudes[0, :, 0].astype(np.float64)
    return [int(np.abs(levels - value).argmin()) for value in np.exp(log_mel[:, 0, 0].numpy())]


def test_the_defaults_are_the_combination_the_paper_ends_with():
    options = PublishedOptions()
    assert (options.batch, options.pitch_shift, options.time_stretch, options.filter_db) == (32, 0.3, 0.3, 10)
    assert (options.input_dropout, options.input_noise, options.loudness_db, options.mixing) == (0, 0, 0, 0)
    assert options.source_frames == 164


def test_every_excerpt_is_drawn_once_before_any_is_drawn_again():
    source = track(115 + 31)
    drawn = sampler(STILL, source)
    for passed in range(2):
        seen = Counter(f for step in range(4) for f in first_frame(drawn.batch(4 * passed + step)[0], source))
        assert seen == Counter(range(32))


def test_a_batch_depends_on_seed_and_step_alone():
    options = PublishedOptions(batch=3, input_dropout=0.1, input_noise=0.1, loudness_db=10, mixing=0.5)
    source = track(400, sung=slice(200, 300))
    one, other = sampler(options, source), sampler(options, source)
    one.batch(0)
    for left, right in zip(one.batch(7), other.batch(7), strict=True):
        torch.testing.assert_close(left, right, atol=0, rtol=0)
    assert not torch.equal(one.batch(7)[0], sampler(options, source, seed=1).batch(7)[0])


@pytest.mark.parametrize("time_stretch", [0, 0.3, 0.5])
def test_each_excerpt_has_the_label_of_its_centre_frame(time_stretch):
    source = track(600, sung=slice(250, 350))
    for step in range(3):
        log_mel, labels = sampler(replace(STILL, time_stretch=time_stretch), source).batch(step)
        level = np.exp(log_mel[:, 57, 0].double().numpy())
        frame = (level - 1) * 599
        certain = np.minimum(np.abs(frame - 249.5), np.abs(frame - 349.5)) > 2
        assert np.array_equal(labels[certain, 0] > 0.5, ((frame > 249.5) & (frame < 349.5))[certain])


def test_unvaried_excerpts_are_the_log_mel_of_the_tracks_frames():
    source = track(140)
    log_mel, _ = sampler(STILL, source).batch(0)
    for row, start in zip(log_mel.double().numpy(), first_frame(log_mel, source), strict=True):
        expected = np.log(source.magnitudes[0, start : start + 115].astype(np.float64) @ mel_filterbank(FRONTEND))
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_loudness_stays_within_its_range_and_uses_it():
    source = track(140)
    loud = sampler(replace(STILL, batch=200, loudness_db=20), source).batch(0)[0][:, 0, 0]
    decibels = (loud.numpy()) * 20 / np.log(10)
    assert -20.1 <= decibels.min() < -15
    assert 15 < decibels.max() <= 20.1 + 20 * np.log10(2)


def test_the_filter_stays_within_its_range_and_uses_it():
    drawn = [sampler(replace(STILL, batch=64, filter_db=filter_db), track(115)).batch(0)[0] for filter_db in (10, 0)]
    gain_db = (drawn[0] - drawn[1]) * 20 / np.log(10)
    assert 8 < gain_db.max() <= 10.01
    assert -10.01 <= gain_db.min() < -8


def test_mixing_adds_only_excerpts_in_which_nobody_sings():
    sung, unsung = track(300, sung=slice(0, 300), level=1.0), track(300, level=100.0)
    options = replace(STILL, batch=200, mixing=0.5)
    log_mel, labels = sampler(options, sung, unsung).batch(0)
    level = np.exp(log_mel[:, 57, 0].numpy())
    voiced = labels[:, 0].numpy() > 0.5
    assert level[voiced].max() > 20, "a sung excerpt is blended with louder ones without voice"
    assert level[~voiced].min() > 90, "an excerpt without voice is never blended with a sung one"


def test_input_dropout_puts_its_share_of_bins_at_the_bands_mean():
    log_mel, _ = sampler(replace(STILL, input_dropout=0.2), track(140)).batch(0)
    assert (log_mel == STANDARDISE.mean).float().mean() == pytest.approx(0.2, abs=0.01)


def test_input_noise_has_the_asked_deviation():
    noisy = sampler(replace(STILL, input_noise=0.2), track(140)).batch(0)[0]
    added = (noisy - sampler(STILL, track(140)).batch(0)[0]) / STANDARDISE.std
    assert added.std() == pytest.approx(0.2, rel=0.02)
    assert added.mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("kind", "strength"), [(kind, s) for kind, strengths in STUDIED.items() for s in strengths])
def test_every_strength_the_paper_compares_can_be_used(kind, strength):
    log_mel, labels = sampler(replace(STILL, **{kind: strength}), track(240)).batch(0)
    assert log_mel.shape == (8, 115, 80)
    assert labels.shape == (8, 1)
    assert torch.isfinite(log_mel).all()


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 0},
        {"input_dropout": 1.5},
        {"pitch_shift": 0.9},
        {"time_stretch": -0.1},
        {"mixing": 2.0},
        {"input_noise": -1.0},
        {"loudness_db": -1.0},
        {"filter_db": float("nan")},
    ],
)
def test_strengths_outside_their_range_are_refused_by_name(change):
    with pytest.raises(OptionsError, match=next(iter(change))):
        replace(STILL, **change)


def test_tracks_too_short_for_an_excerpt_are_refused():
    with pytest.raises(OptionsError, match="164 frames"):
        sampler(PublishedOptions(), track(163))


def test_mixing_is_refused_where_everything_is_sung():
    with pytest.raises(OptionsError, match="nobody sings"):
        sampler(replace(STILL, mixing=0.5), track(140, sung=slice(0, 140)))

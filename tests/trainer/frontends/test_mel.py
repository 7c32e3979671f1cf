"""The front-end against its definition, written out slowly in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.features import frame_magnitudes
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, Frontend, FrontendOptions, mel_filterbank
from support.corpora.music import melody
from support.corpora.real_data import data_folder
from support.corpora.reference_frontend import reference_filterbank, reference_log_mel


def log_mel(samples: np.ndarray) -> np.ndarray:
    frontend = Frontend()
    with torch.inference_mode():
        return frontend(torch.from_numpy(samples.astype(np.float32))[None])[0].numpy()


def test_the_filterbank_is_the_one_of_the_definition():
    np.testing.assert_allclose(mel_filterbank(), reference_filterbank()[:372], atol=1e-12)


def test_no_filter_hears_anything_above_bin_371():
    assert np.all(reference_filterbank()[372:] == 0)
    assert FRONTEND.bins == 372


def test_every_filter_hears_something_and_sums_to_one():
    np.testing.assert_allclose(mel_filterbank().sum(axis=0), 1)


def test_log_mel_of_music_follows_the_definition():
    samples = melody(seconds=3)
    np.testing.assert_allclose(log_mel(samples), reference_log_mel(samples), atol=1e-4)


@pytest.mark.data
@pytest.mark.parametrize("song", ["Fantasma_-_Los_Rombos.mp3", "Karissa_Hobbs_-_Lets_Go_Fishin.ogg", "piano.wav"])
def test_log_mel_of_real_recordings_follows_the_definition(song):
    samples = read_mono(data_folder("songs") / song, 22050)[: 10 * 22050]
    np.testing.assert_allclose(log_mel(samples), reference_log_mel(samples), atol=1e-4)


def test_a_band_far_below_a_loud_tone_is_heard_as_the_definition_hears_it():
    seconds = np.arange(22050) / 22050
    samples = np.sin(2 * np.pi * 440 * seconds) + 1e-5 * np.sin(2 * np.pi * 6000 * seconds)
    samples = samples.astype(np.float32) / 2
    np.testing.assert_allclose(log_mel(samples), reference_log_mel(samples), atol=1e-5)


def test_silence_becomes_the_logarithm_of_the_floor():
    np.testing.assert_allclose(log_mel(np.zeros(5000)), np.log(1e-7), rtol=1e-6)


@pytest.mark.parametrize(("samples", "frames"), [(1023, 0), (1024, 1), (1338, 1), (1339, 2), (36934, 115)])
def test_frames_are_neither_centred_nor_padded(samples, frames):
    assert FRONTEND.frames_of(samples) == frames
    if frames:
        assert log_mel(np.zeros(samples)).shape == (frames, 80)


def test_an_excerpt_spans_exactly_its_samples():
    assert FRONTEND.samples_of(EXCERPT_FRAMES) == 36934
    assert FRONTEND.frames_of(FRONTEND.samples_of(EXCERPT_FRAMES)) == EXCERPT_FRAMES


def test_seventy_frames_a_second_are_derived_and_an_inexact_hop_is_refused():
    assert FRONTEND.frames_per_second == 70
    with pytest.raises(ValueError, match="hop_samples 316"):
        _ = FrontendOptions(hop_samples=316).frames_per_second


def test_long_recordings_are_transformed_in_blocks_that_join_exactly():
    samples = np.random.default_rng(0).standard_normal(315 * 4500).astype(np.float32)
    whole = frame_magnitudes(Frontend(), samples)
    assert whole.shape == (FRONTEND.frames_of(len(samples)), 372)
    part = frame_magnitudes(Frontend(), samples[315 * 4090 :][: 1024 + 315 * 10])
    np.testing.assert_allclose(whole[4090:4101], part, atol=1e-4)


def test_ten_decibels_more_move_every_audible_band_by_their_logarithm():
    samples = melody(seconds=1)
    quiet, loud = log_mel(samples), log_mel(samples * 10**0.5)
    audible = quiet > -8
    np.testing.assert_allclose((loud - quiet)[audible], np.log(10**0.5), atol=1e-3)


@pytest.mark.parametrize("samples", [1024, 1338, 1339, 1600, 36934, 36934 + 77])
def test_frame_i_holds_the_samples_from_i_hops_on(samples):
    counting = torch.arange(2 * samples, dtype=torch.float32).reshape(2, samples)
    frames = Frontend()._frames(counting)
    assert frames.shape == (2, FRONTEND.frames_of(samples), 1024)
    torch.testing.assert_close(frames, counting.unfold(1, 1024, 315), atol=0, rtol=0)

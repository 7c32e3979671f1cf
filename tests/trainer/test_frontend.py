"""The front-end against its definition, written out slowly in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.features import frame_magnitudes
from phonoscope_trainer.frontend import EXCERPT_FRAMES, FRONTEND, Frontend, FrontendOptions, mel_filterbank
from support.music import melody
from support.real_data import data_folder


def reference_filterbank() -> np.ndarray:
    """80 triangles between 82 peaks equally spaced in mel, over 513 bins, each divided by the sum of its own bins."""
    to_mel, to_hz = (lambda hz: 1127 * np.log(1 + hz / 700)), (lambda mel: 700 * (np.exp(mel / 1127) - 1))
    peaks = [to_hz(to_mel(27.5) + i * (to_mel(8000.0) - to_mel(27.5)) / 81) for i in range(82)]
    bank = np.zeros((513, 80))
    for band in range(80):
        left, centre, right = peaks[band : band + 3]
        for fft_bin in range(513):
            hz = fft_bin * 22050 / 1024
            if left < hz <= centre:
                bank[fft_bin, band] = (hz - left) / (centre - left)
            elif centre < hz < right:
                bank[fft_bin, band] = (right - hz) / (right - centre)
        bank[:, band] /= bank[:, band].sum()
    return bank


def reference_log_mel(samples: np.ndarray) -> np.ndarray:
    """Frame by frame: symmetric Hann window, magnitude of the Fourier transform, filterbank, floor, logarithm."""
    bank, frames = reference_filterbank(), []
    for start in range(0, len(samples) - 1024 + 1, 315):
        magnitude = np.abs(np.fft.rfft(samples[start : start + 1024].astype(np.float64) * np.hanning(1024)))
        frames.append(np.log(np.maximum(magnitude @ bank, 1e-7)))
    return np.array(frames)


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

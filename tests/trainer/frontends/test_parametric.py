"""Front-ends by parameters, against librosa's, and what is said where golden frames differ."""

from __future__ import annotations

from dataclasses import replace

import librosa
import numpy as np
import pytest
import soundfile
import torch
from phonoscope_trainer.corpora.golden_frontend import TOLERANCE, checked
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.frontends.parameters import FrontendParameters, filters_of, window_of
from phonoscope_trainer.frontends.parametric import Bands, Picture, frames_of

MEL = FrontendParameters(sample_rate_hz=16_000, window_samples=512, fft_samples=512, hop_samples=256, bands=40)
LOG = replace(MEL, compression="log10", offset=1.0, slope=10_000.0, floor=1e-12)


@pytest.fixture(scope="module")
def music():
    rng = np.random.default_rng(0)
    t = np.arange(4 * 16_000) / 16_000
    tones = sum(np.sin(2 * np.pi * hz * t) * (1 + np.sin(t * pace)) for hz, pace in ((220, 3), (331, 7), (2900, 5)))
    return (0.08 * tones + 0.02 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.fixture
def recording(music, tmp_path):
    soundfile.write(tmp_path / "music.wav", music, 16_000, subtype="FLOAT")
    return tmp_path / "music.wav"


def golden(tmp_path, frames):
    np.save(tmp_path / "frames.npy", frames)
    return tmp_path / "frames.npy"


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize(("norm", "theirs"), [("area", "slaney"), ("none", None)])
@pytest.mark.parametrize("edges", [(0.0, 0.0), (50.0, 7000.0)])
def test_filters_are_those_of_librosa(htk, norm, theirs, edges):
    parameters = replace(MEL, scale="htk" if htk else "slaney", norm=norm, lowest_hz=edges[0], highest_hz=edges[1])
    expected = librosa.filters.mel(
        sr=16_000, n_fft=512, n_mels=40, fmin=edges[0], fmax=parameters.highest, htk=htk, norm=theirs
    )
    np.testing.assert_allclose(filters_of(parameters), expected.T, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("change", [{}, {"power": 1}, {"padding": "zeros"}, {"window_samples": 400}])
def test_frames_are_those_of_librosa(music, change):
    parameters = replace(LOG, **change)
    mel = librosa.feature.melspectrogram(
        y=music,
        sr=16_000,
        n_fft=512,
        hop_length=256,
        win_length=parameters.window_samples,
        n_mels=40,
        power=parameters.power,
        pad_mode="reflect" if parameters.padding == "reflect" else "constant",
    )
    np.testing.assert_allclose(frames_of(music, parameters), np.log10(1 + 10_000 * mel.T), atol=2e-4)


def test_an_excerpt_is_the_same_frames_without_ends(music):
    whole = frames_of(music, LOG)
    start = 20 * LOG.hop_samples - LOG.fft_samples // 2
    samples = torch.from_numpy(music[start : start + LOG.samples_of(10)])
    torch.testing.assert_close(Picture(LOG)(Bands(LOG)(samples[None]))[0], whole[20:30], atol=1e-4, rtol=1e-4)


def test_log_mel_is_the_logarithm_of_the_magnitude_whatever_the_power(music):
    samples = torch.from_numpy(music[None])
    linear = replace(MEL, scale="linear", norm="none", bands=257, compression="none")
    of_energy, of_magnitude = (Bands(replace(linear, power=power))(samples) for power in (2, 1))
    torch.testing.assert_close(of_energy, of_magnitude, atol=1e-4, rtol=1e-4)


def test_rounding_to_half_precision_is_that_of_numpy(music):
    rounded = replace(LOG, rounding="float16")
    mel = librosa.feature.melspectrogram(
        y=music, sr=16_000, n_fft=512, hop_length=256, n_mels=40, pad_mode="reflect"
    ).T.astype(np.float16)
    far = np.abs(frames_of(music, rounded).numpy() - np.log10(1 + 10_000 * mel.astype(np.float64))) > 1e-5
    assert far.mean() < 0.01  # but for numbers in the middle between two


def test_windows_are_those_of_their_names():
    np.testing.assert_allclose(window_of(replace(MEL, window="hann-symmetric")), np.hanning(512), atol=1e-12)
    np.testing.assert_allclose(window_of(replace(MEL, window="hamming-symmetric")), np.hamming(512), atol=1e-12)
    np.testing.assert_allclose(window_of(MEL), np.hanning(513)[:-1], atol=1e-12)


def test_a_front_end_that_matches_is_taken(music, recording, tmp_path):
    assert checked(recording, golden(tmp_path, frames_of(music, LOG)), LOG) <= TOLERANCE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "htk"),
        ("norm", "none"),
        ("power", 1),
        ("hop_samples", 160),
        ("lowest_hz", 50.0),
        ("highest_hz", 7600.0),
        ("window", "hamming"),
        ("window_samples", 400),
        ("compression", "ln"),
        ("padding", "none"),
        ("full_scale", 32768.0),
    ],
)
def test_a_mismatch_is_refused_with_what_most_likely_causes_it(music, recording, tmp_path, name, value):
    theirs = golden(tmp_path, frames_of(music, replace(LOG, **{name: value})))
    with pytest.raises(OptionsError, match=f"differs from frames.npy by .* most likely .*{name}.* is {value}"):
        checked(recording, theirs, LOG)


def test_a_scaling_is_recognised(music, recording, tmp_path):
    theirs = golden(tmp_path, 0.37 * frames_of(music, LOG).numpy() - 1.25)
    with pytest.raises(OptionsError, match=r"gain is 0\.37 and shift is -1\.25"):
        checked(recording, theirs, LOG)


def test_what_no_single_parameter_explains_is_said_to_be_several(recording, tmp_path):
    noise = np.random.default_rng(3).standard_normal((251, 40))
    with pytest.raises(OptionsError, match="no single other parameter explains it"):
        checked(recording, golden(tmp_path, noise), LOG)


def test_frames_that_are_turned_are_recognised(music, recording, tmp_path):
    with pytest.raises(CorpusError, match="251 bands, the front-end has 40; it may be turned"):
        checked(recording, golden(tmp_path, frames_of(music, LOG).numpy().T), LOG)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"scale": "bark"}, "scale is 'bark'"), ({"fft_samples": 256}, "fft_samples"), ({"highest_hz": 9000.0}, "edges")],
)
def test_parameters_that_make_no_front_end_are_named(change, says):
    with pytest.raises(OptionsError, match=says):
        replace(LOG, **change)

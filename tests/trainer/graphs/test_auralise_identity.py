"""`resound_NETWORK`: what is kept whole comes back as it was, and what is not as its definition says."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.resound import PHASE, SPECTRUM, DetectorSound, detector_sound_graph, tagger_sound_graph
from phonoscope_trainer.graphs.sonify import SonifyGraph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.repository.models import write_graph
from support.corpora.music import melody

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.full((80,), 1.5))
EDGE = 1024  # samples at either end of an excerpt that fewer windows cover


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    return melody(9, 1)[: 2 * LINEAR_STFT.clip_samples : 2][None].astype(np.float32)


@pytest.fixture(scope="module")
def excerpt() -> torch.Tensor:
    return torch.from_numpy(melody(2, 0)[:36934])[None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The graphs as a bundle has them."""
    folder = tmp_path_factory.mktemp("graphs")
    graphs = (
        tagger_frontend_graph(LinearStft()),
        tagger_sound_graph(LINEAR_STFT),
        detector_sound_graph(FRONTEND, STANDARDISE),
    )
    for graph in graphs:
        write_graph(graph, folder)
    return folder


def run(folder, graph, **inputs):
    path = folder / graph / "1" / "model.onnx"
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, inputs)


def chosen(resynthesis: int) -> np.ndarray:
    return np.array([[resynthesis]], np.int32)


def signal_to_noise_db(wanted: np.ndarray, found: np.ndarray) -> float:
    wanted = wanted.astype(np.float64)
    return 10 * np.log10(np.sum(wanted**2) / np.sum((found - wanted) ** 2))


def test_a_clip_of_which_everything_is_heard_comes_back(folder, clip):
    spectrum, magnitude, _ = run(folder, "tagger_frontend", samples=clip)
    heard = np.stack([magnitude, np.ones_like(magnitude)], axis=1)
    (by_phase,) = run(folder, "resound_tagger", spectrum=spectrum, heard=heard, resynthesis=chosen(PHASE))
    (by_spectrum,) = run(folder, "resound_tagger", spectrum=spectrum, heard=heard, resynthesis=chosen(SPECTRUM))
    assert by_phase.shape == (1, 2, LINEAR_STFT.clip_samples)
    assert signal_to_noise_db(clip[0], by_phase[0, 0]) > 100
    assert signal_to_noise_db(clip[0], by_spectrum[0, 1]) > 100


def test_a_picture_is_given_the_phase_or_multiplies_the_spectrum(folder, clip):
    spectrum, magnitude, _ = run(folder, "tagger_frontend", samples=clip)
    picture = (magnitude * np.random.default_rng(0).standard_normal(magnitude.shape)).astype(np.float32)
    complex_spectrum = (spectrum[0, 0] + 1j * spectrum[0, 1]).astype(complex)
    expected = {
        PHASE: np.exp(1j * np.angle(complex_spectrum)) * picture[0] / LINEAR_STFT.gain,
        SPECTRUM: complex_spectrum * picture[0] / np.abs(picture).max(),
    }
    for resynthesis, frames in expected.items():
        (found,) = run(
            folder, "resound_tagger", spectrum=spectrum, heard=picture[:, None], resynthesis=chosen(resynthesis)
        )
        assert signal_to_noise_db(overlap_added(frames), found[0, 0]) > 80


def overlap_added(frames: np.ndarray) -> np.ndarray:
    """Frame by frame with NumPy's inverse transform, as librosa.istft centres it."""
    window = np.hanning(513)[:-1]
    total, weight = np.zeros(512 + 256 * (len(frames) - 1)), np.zeros(512 + 256 * (len(frames) - 1))
    for position, frame in enumerate(frames):
        place = slice(position * 256, position * 256 + 512)
        total[place] += window * np.fft.irfft(frame)
        weight[place] += window**2
    return (total / np.maximum(weight, 1e-3 * weight.max()))[256 : 256 + LINEAR_STFT.clip_samples]


def test_an_excerpt_that_the_detector_hears_whole_sounds_as_its_log_mel_does(folder, excerpt):
    standardised = STANDARDISE(Frontend()(excerpt))
    expected = SonifyGraph(FRONTEND, STANDARDISE)(excerpt, standardised)
    for scale in (1.0, 40.0):  # of no consequence
        (found,) = run(
            folder,
            "resound_detector",
            samples=excerpt.numpy(),
            standardised=standardised.numpy(),
            heard=scale * standardised[:, None].numpy(),
            resynthesis=chosen(PHASE),
        )
        assert signal_to_noise_db(expected[0].numpy(), found[0, 0]) > 60


def test_every_band_kept_brings_back_an_excerpt_as_far_as_bands_reach(folder, excerpt):
    (found,) = run(
        folder,
        "resound_detector",
        samples=excerpt.numpy(),
        standardised=np.zeros((1, 115, 80), np.float32),
        heard=np.ones((1, 1, 115, 80), np.float32),
        resynthesis=chosen(SPECTRUM),
    )
    heard = band_limited(excerpt[0].numpy())
    assert signal_to_noise_db(heard[EDGE:-EDGE], found[0, 0, EDGE:-EDGE]) > 40


def band_limited(samples: np.ndarray) -> np.ndarray:
    """What lies between the outer edges of the mel bands."""
    transform = np.fft.rfft(samples.astype(np.float64))
    frequency = np.fft.rfftfreq(len(samples), 1 / FRONTEND.sample_rate_hz)
    transform[(frequency < FRONTEND.lowest_hz) | (frequency > FRONTEND.highest_hz)] = 0
    return np.fft.irfft(transform, len(samples))


def test_silence_and_features_that_heard_nothing_make_no_noise(folder, excerpt, clip):
    spectrum, magnitude, _ = run(folder, "tagger_frontend", samples=clip)
    for resynthesis in (PHASE, SPECTRUM):
        (nothing,) = run(
            folder,
            "resound_tagger",
            spectrum=spectrum,
            heard=0 * magnitude[:, None],
            resynthesis=chosen(resynthesis),
        )
        assert not nothing.any()
        silence = DetectorSound(FRONTEND, STANDARDISE)(
            0 * excerpt, torch.zeros(1, 115, 80), torch.ones(1, 1, 115, 80), torch.tensor([[resynthesis]])
        )
        assert not silence.any()


def test_no_file_holds_a_basis_of_sines(folder):
    for graph in ("tagger_frontend", "resound_tagger", "resound_detector"):
        assert (folder / graph / "1" / "model.onnx").stat().st_size < 1_000_000  # a basis alone has 1 or 4 MB

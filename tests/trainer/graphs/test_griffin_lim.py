"""The search for a phase, against NumPy's transforms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend, mel_filterbank
from phonoscope_trainer.graphs.griffin_lim import GriffinLim
from support.corpora.music import melody

SAMPLES = 36934
WINDOW = np.hanning(1024)


@pytest.fixture(scope="module")
def log_mel():
    return Frontend()(torch.from_numpy(melody(2, 1)[:SAMPLES])[None])


def iteration_by_definition(log_mel: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Frame by frame; `[115, 80]` and `[N]` to `[N]`."""
    magnitude = np.zeros((115, 513))
    magnitude[:, :372] = np.maximum(0, np.exp(log_mel) @ np.linalg.pinv(mel_filterbank()))
    total, weight = np.zeros(SAMPLES), np.zeros(SAMPLES)
    for frame in range(115):
        place = slice(frame * 315, frame * 315 + 1024)
        phase = np.angle(np.fft.rfft(audio[place] * WINDOW))
        total[place] += WINDOW * np.fft.irfft(magnitude[frame] * np.exp(1j * phase))
        weight[place] += WINDOW**2
    return total / np.maximum(weight, 1e-3 * weight.max())


def test_an_iteration_is_that_of_the_definition(log_mel):
    graph, noise = GriffinLim(FRONTEND), np.random.default_rng(0).standard_normal(SAMPLES)
    expected = noise
    found = torch.from_numpy(noise).float()[None]
    for _ in range(2):
        expected = iteration_by_definition(log_mel[0].double().numpy(), expected)
        found, go_on = graph(log_mel, found)
        assert go_on
    np.testing.assert_allclose(found[0], expected, atol=2e-3 * np.abs(expected).max())


def test_iterations_bring_the_sounds_own_log_mel_nearer_to_the_one_given(log_mel):
    graph, frontend = GriffinLim(FRONTEND), Frontend()
    audio = torch.randn(1, SAMPLES, generator=torch.Generator().manual_seed(0))
    errors = []
    for number in range(31):
        audio, _ = graph(log_mel, audio)
        if number % 15 == 0:
            errors.append(float((frontend(audio) - log_mel).square().mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.8 * errors[0]


def test_silence_stays_silent():
    nothing = torch.full((1, 115, 80), float(np.log(1e-7)))
    audio, _ = GriffinLim(FRONTEND)(nothing, torch.randn(1, SAMPLES))
    assert audio.abs().max() < 1e-5

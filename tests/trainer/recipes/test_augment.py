"""Augmentation against slow references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.frontends.mel import FRONTEND, band_peaks_hz
from phonoscope_trainer.recipes import augment


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_mixing_is_the_magnitude_of_a_complex_sum():
    voice, accompaniment, phase = noise(2, 5, 7), noise(2, 5, 7, seed=1), 6.28 * noise(2, 5, 7, seed=2)
    expected = np.abs(voice.numpy() + accompaniment.numpy() * np.exp(1j * phase.numpy()))
    np.testing.assert_allclose(augment.mix(voice, accompaniment, phase), expected, atol=1e-6)


def test_stretching_and_shifting_by_one_keeps_the_centre():
    magnitude = noise(2, 20, 30)
    same = augment.stretch_and_shift(magnitude, 10, torch.ones(2), torch.ones(2))
    torch.testing.assert_close(same, magnitude[:, 5:15], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("stretch", "shift"), [(1.3, 0.8), (0.75, 1.25)])
def test_each_bin_is_read_from_where_stretch_and_shift_say(stretch, shift):
    magnitude, frames = noise(1, 41, 30), 21
    warped = augment.stretch_and_shift(magnitude, frames, torch.tensor([stretch]), torch.tensor([shift]))[0]
    source = magnitude[0].numpy()
    for frame in range(frames):
        for fft_bin in range(30):
            t, f = 20 + (frame - 10) * stretch, min(fft_bin / shift, 29)
            low_t, low_f = int(t), int(f)
            high_t, high_f = min(low_t + 1, 40), min(low_f + 1, 29)
            a, b = t - low_t, f - low_f
            expected = (1 - a) * ((1 - b) * source[low_t, low_f] + b * source[low_t, high_f])
            expected += a * ((1 - b) * source[high_t, low_f] + b * source[high_t, high_f])
            assert warped[frame, fft_bin] == pytest.approx(expected, abs=1e-4)


def test_labels_are_read_from_the_frames_that_were_stretched():
    at = augment.source_frame_of(5, 11, torch.tensor([1.0, 2.0]))
    assert at.tolist() == [[3, 4, 5, 6, 7], [1, 3, 5, 7, 9]]


@pytest.mark.parametrize("level_db", [-20.0, 0.0, 10.0])
def test_loudness_scales_magnitudes_by_decibels(level_db):
    magnitude = noise(3, 5, 7)
    louder = augment.change_level(magnitude, torch.tensor([level_db, 0.0, level_db]))
    expected = magnitude.numpy().astype(np.float64)
    expected[[0, 2]] *= 10 ** (level_db / 20)
    np.testing.assert_allclose(louder, expected, rtol=1e-6)


def test_mixing_blends_each_row_by_its_own_share():
    magnitude, negative = noise(3, 5, 7), noise(3, 5, 7, seed=1)
    blended = augment.blend(magnitude, negative, torch.tensor([0.0, 0.2, 0.5]))
    for row, share in enumerate((0.0, 0.2, 0.5)):
        expected = (1 - share) * magnitude[row].numpy().astype(np.float64) + share * negative[row].numpy()
        np.testing.assert_allclose(blended[row], expected, atol=1e-7)


def test_dropped_inputs_are_zero_once_standardised():
    mean, std, log_mel = noise(9) - 3, noise(9, seed=1) + 0.5, noise(2, 4, 9, seed=2)
    kept = noise(2, 4, 9, seed=3) >= 0.4
    standardised = (augment.drop_inputs(log_mel, kept, mean) - mean) / std
    expected = (log_mel.double().numpy() - mean.numpy()) / std.numpy() * kept.numpy()
    np.testing.assert_allclose(standardised, expected, atol=1e-5)


def test_input_noise_has_the_asked_deviation_once_standardised():
    mean, std, log_mel = noise(9) - 3, noise(9, seed=1) + 0.5, noise(2, 4, 9, seed=2)
    normal = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(3))
    noisy = augment.add_input_noise(log_mel, torch.tensor([0.1, 0.2]), normal, std)
    clean = (log_mel.double().numpy() - mean.numpy()) / std.numpy()
    expected = clean + np.array([0.1, 0.2])[:, None, None] * normal.numpy()
    np.testing.assert_allclose((noisy - mean) / std, expected, atol=1e-5)


def test_the_random_filter_adds_a_gaussian_over_semitones():
    band_hz = band_peaks_hz()[1:-1]
    filtered = augment.random_filter(
        torch.zeros(1, 2, 80), FRONTEND, torch.tensor([1000.0]), torch.tensor([6.0]), torch.tensor([5.0])
    )
    expected = np.log(10 ** (6 / 20)) * np.exp(-0.5 * (12 * np.log2(band_hz / 1000) / 5) ** 2)
    np.testing.assert_allclose(filtered[0, 0], expected, atol=1e-5)


def test_noise_raises_silence_to_its_level_and_leaves_loud_bins():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(1, 200, 50, generator=generator) for _ in range(2))
    noisy = augment.add_noise(torch.zeros(1, 200, 50), torch.tensor([[0.1]]), first, second)
    assert noisy.square().mean().sqrt() == pytest.approx(0.1 * 2**0.5, rel=0.02)
    loud = torch.full((1, 200, 50), 100.0)
    torch.testing.assert_close(augment.add_noise(loud, torch.tensor([[0.1]]), first, second), loud, atol=0.6, rtol=0)
    torch.testing.assert_close(augment.add_noise(loud, torch.tensor([[0.0]]), first, second), loud)


def test_noise_has_its_level_in_every_bin():
    first, second = torch.randn(2, 1, 4000, 2, generator=torch.Generator().manual_seed(0))
    noisy = augment.add_noise(torch.zeros(1, 4000, 2), torch.tensor([[0.1, 1.0]]), first, second)
    torch.testing.assert_close(noisy.square().mean(1).sqrt()[0], 2**0.5 * torch.tensor([0.1, 1.0]), rtol=0.05, atol=0)


def test_an_equaliser_leaves_silence_silent():
    magnitude, gain_db = torch.tensor([[[0.0, 1.0]]]), torch.tensor([[20.0, -20.0]])
    torch.testing.assert_close(augment.equalise(magnitude, gain_db), torch.tensor([[[0.0, 0.1]]]))


def test_a_gate_silences_what_lies_further_below_the_loudest_than_its_range():
    magnitude = torch.tensor([[1.0, 0.2, 0.05]])[:, :, None].expand(2, 3, 4)
    gated = augment.gate(magnitude, torch.tensor([20.0, torch.inf]))
    assert gated[:, :, 0].tolist() == [[1.0, pytest.approx(0.2), 0.0], [1.0, pytest.approx(0.2), pytest.approx(0.05)]]


def test_a_compressor_brings_a_step_of_level_down_by_its_ratio():
    magnitude = torch.ones(1, 60, 4)
    magnitude[:, 30:] = 0.1
    compressed = augment.compress(magnitude, torch.tensor([40.0]), torch.tensor([4.0]))
    assert 20 * torch.log10(compressed[0, 10, 0] / compressed[0, 50, 0]) == pytest.approx(20 / 4, abs=1e-3)
    torch.testing.assert_close(augment.compress(magnitude, torch.tensor([40.0]), torch.ones(1)), magnitude)


def test_a_room_adds_a_tail_that_falls_by_60_db_in_its_time():
    magnitude, phase = torch.zeros(1, 400, 1), torch.full((1, 400, 1), torch.pi / 2)
    magnitude[:, :200] = 1.0
    heard = augment.reverberate(magnitude, torch.tensor([-6.0]), torch.tensor([100.0]), phase)[0, :, 0]
    expected, tail_power = [], 0.0
    kept = 10 ** (-6 / 100)
    for dry in magnitude[0, :, 0].tolist():
        expected.append(np.sqrt(dry**2 + 10 ** (-6 / 10) * tail_power))
        tail_power = kept * tail_power + (1 - kept) * dry**2
    np.testing.assert_allclose(heard[1:], expected[1:], rtol=1e-3)
    assert 20 * torch.log10(heard[210] / heard[310]) == pytest.approx(60, abs=0.1)

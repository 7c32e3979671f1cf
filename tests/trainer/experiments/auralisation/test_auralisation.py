"""Model signals, their correlations by attribute, effective sizes and feature cards."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from phonoscope_trainer.experiments.auralisation import feature_cards
from phonoscope_trainer.experiments.auralisation import figures as auralisation_figures
from phonoscope_trainer.experiments.auralisation import similarity as experiment
from phonoscope_trainer.experiments.auralisation.many_features import ManyFeatures
from phonoscope_trainer.experiments.auralisation.model_signals import (
    ATTRIBUTES,
    CHORDS,
    INSTRUMENTS,
    KEYS,
    ModelSignal,
    chord_pitches,
    model_signals,
    render_signal,
)
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.graphs.deconvnet import Deconvnet
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger
from support.nearly import assert_nearly_close


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def network() -> Tagger:
    torch.manual_seed(0)
    return Tagger(3).eval()


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    signals = [ModelSignal("pure sine", "major", "A3"), ModelSignal("pure sine", "minor", "A3")]
    samples = torch.from_numpy(np.stack([render_signal(signal) for signal in signals]))
    return LinearStft()(samples)


def test_there_are_224_different_signals():
    assert len(set(model_signals())) == len(INSTRUMENTS) * len(CHORDS) * len(KEYS) == 224


def test_a_signal_holds_its_chord_in_six_positions():
    assert chord_pitches(ModelSignal("piano", "minor", "A3"))[:3] == ((57, 60, 64), (60, 64, 69), (64, 69, 72))
    assert chord_pitches(ModelSignal("piano", "intervals", "Eb2"))[-1] == (39, 51)
    assert all(len(chord_pitches(signal)) == 6 for signal in model_signals())


@pytest.mark.parametrize("instrument", ["pure sine", "piano", "organ"])
def test_signals_are_one_clip_at_one_level_and_in_tune(instrument):
    samples = render_signal(ModelSignal(instrument, "major", "A3"))
    assert samples.shape == (LINEAR_STFT.clip_samples,)
    assert np.sqrt(np.mean(np.square(samples))) == pytest.approx(0.1, rel=1e-3)
    magnitude = np.abs(np.fft.rfft(samples[:6000] * np.hanning(6000)))
    near = {hz: magnitude[round(hz * 6000 / 11025) - 2 :][:5].max() for hz in (220.0, 277.2, 329.6)}
    between = magnitude[round(245 * 6000 / 11025)]
    assert min(near.values()) > 10 * between


def test_correlations_are_numpys_and_an_empty_picture_has_none():
    drawn = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 50)))
    matrix = experiment.correlation_matrix(torch.cat([drawn, torch.zeros(1, 50)])).numpy()
    np.testing.assert_allclose(matrix[:3, :3], np.corrcoef(drawn.numpy()), atol=1e-6)
    assert np.isnan(matrix[3]).all()
    assert experiment.silent_share(matrix[None]) == 0.25


def test_pairs_that_differ_in_one_attribute_are_averaged_over_features():
    signals = [ModelSignal(*each) for each in itertools.product(INSTRUMENTS[:2], list(CHORDS)[:2], list(KEYS)[:2])]
    matrices = np.random.default_rng(1).normal(size=(3, 8, 8)).astype(np.float32)
    matrices[0, 0, :] = np.nan
    found = experiment.by_attribute(matrices, signals)
    for attribute in ATTRIBUTES:
        values = []
        for feature in range(3):
            for i in range(8):
                for j in range(i + 1, 8):
                    differing = [a for a in ATTRIBUTES if getattr(signals[i], a) != getattr(signals[j], a)]
                    if differing == [attribute] and np.isfinite(matrices[feature, i, j]):
                        values.append(float(matrices[feature, i, j]))
        assert found[attribute]["pairs"] == 4
        assert found[attribute]["mean"] == pytest.approx(np.mean(values), abs=1e-6)
        assert found[attribute]["std"] == pytest.approx(np.std(values), abs=1e-6)


def test_effective_sizes_are_those_of_table_1(network):
    sizes = experiment.effective_sizes(network.stages(), LINEAR_STFT)
    assert [round(size["width_ms"], -1) for size in sizes.values()] == [90, 160, 300, 580, 1140]
    # The paper prints 1270 Hz for the deepest layer; what its other rows follow gives 1055.
    assert [int(size["height_hz"]) for size in sizes.values()] == [86, 150, 279, 538, 1055]
    assert sizes["conv5"]["field_width_ms"] > sizes["conv5"]["width_ms"]


def test_many_features_are_those_that_the_deconvnet_gives_one_by_one(network, pictures):
    many = dict(ManyFeatures(network, bfloat16=False).of(pictures[0], [5, 9]))
    rounded = dict(ManyFeatures(network).of(pictures[0], [5, 9]))
    with torch.inference_mode():
        for layer in ("conv1", "conv3", "conv5"):
            for row, feature in enumerate((5, 9)):
                expected = Deconvnet(network.stages()).heard_by(pictures[:1], layer, [feature])[0, 0]
                assert_nearly_close(many[layer][row], expected, rtol=1e-4, atol=1e-5)
                together = torch.stack([rounded[layer][row].flatten(), expected.flatten()])
                assert torch.corrcoef(together)[0, 1] > 0.999


def test_correlations_go_on_where_they_stopped(network, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "FEATURES_AT_ONCE", 1)
    many = ManyFeatures(network)
    first = experiment.correlations(many, pictures, 2, tmp_path / "kept")
    (tmp_path / "kept" / "features-01-01.npz").unlink()
    again = experiment.correlations(many, pictures, 2, tmp_path / "kept")
    assert first.values["conv5"].shape == (2, 2, 2)
    for layer, values in first.values.items():
        np.testing.assert_array_equal(values, again.values[layer])


def music() -> np.ndarray:
    """A held low tone, and a click every half second."""
    picture = np.full(CLIP_SHAPE, 1e-3, np.float32)
    picture[:, 4:7] = 1
    picture[10::22] = 1
    return picture


def test_cards_tell_a_bass_note_from_an_onset_detector():
    clip = feature_cards.describe(music(), LINEAR_STFT)
    bass, clicks, nothing = (np.zeros(CLIP_SHAPE, np.float32) for _ in range(3))
    bass[:, 4:7] = 1
    clicks[10::22] = 1
    found = feature_cards.measure(np.stack([bass, clicks, nothing]), clip)
    assert found["harmonic_low"][0] > 0.8
    assert found["onset_correlation"][1] > 0.4 > found["onset_correlation"][0]
    assert found["harmonic_over_percussive_db"][0] > found["harmonic_over_percussive_db"][1] + 10
    assert found["centre_hz"][0] == pytest.approx(5 * LINEAR_STFT.bin_hz, rel=0.01)
    assert np.isnan(found["centre_hz"][2])
    shares = sum(found[part][:2] for part in feature_cards.PARTS)
    np.testing.assert_allclose(shares, 1)


def test_a_kick_drum_is_percussive_not_only_low():
    shares = dict.fromkeys(feature_cards.PARTS, 0.0)
    of_card = {"answers": 1.0, "onset_correlation": 0.0, "harmonic_over_percussive_db": 0.0, "centre_hz": 100.0}
    both = feature_cards.Card("conv5", 1, **of_card, **shares | {"harmonic_low": 0.5, "percussive_low": 0.4})
    drum = feature_cards.Card("conv5", 2, **of_card, **shares | {"harmonic_low": 0.1, "percussive_low": 0.35})
    found = feature_cards.found_by_numbers([both, drum])
    assert found["kick drum"][0] is drum
    assert found["bass note"][0] is both


def test_every_kind_lists_the_cards_that_fit_it_best_first(network, pictures, tmp_path):
    every = feature_cards.cards(ManyFeatures(network), pictures, 3, LINEAR_STFT)
    assert len(every) == 15
    found = feature_cards.found_by_numbers(every, best=2)
    assert set(found) == set(feature_cards.KINDS)
    for kind, figure in feature_cards.KINDS.items():
        values = [figure(card) for card in found[kind]]
        assert values == sorted(values, reverse=True)
    rows = {attribute: {"mean": 0.5, "std": 0.1} for attribute in ATTRIBUTES}
    document = {"correlation": {"conv1": rows, "conv2": rows}, "input_correlation": rows}
    auralisation_figures.draw_correlations(document, tmp_path / "correlation.png")
    auralisation_figures.draw_signals(dict.fromkeys(INSTRUMENTS, pictures[0].numpy()), tmp_path / "signals.png")
    shown = [auralisation_figures.Found("conv1, 0", pictures[1].numpy())]
    auralisation_figures.draw_found(pictures[0].numpy(), shown, tmp_path / "found.png")
    assert all((tmp_path / f"{name}.png").stat().st_size > 5000 for name in ("correlation", "signals", "found"))

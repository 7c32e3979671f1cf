"""The inversion experiment: its measures against slow ones, and the whole command in miniature."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.inversion import structure
from phonoscope_trainer.experiments.inversion.excerpts import EvaluationSet, evaluation_set, some_files
from phonoscope_trainer.experiments.inversion.floor import best_of_paper_form
from phonoscope_trainer.experiments.inversion.iterative import DescentOptions, invert_by_descent
from phonoscope_trainer.experiments.inversion.layers import Errors, InversionOptions, Judge
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.measures.reconstruction_error import mean_pairwise_distance, reconstruction_errors
from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from support.corpora.features import noise_track
from support.corpora.music import melody

PLAIN = Standardise(torch.zeros(80), torch.ones(80))


def excerpts(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, 115, 80, generator=torch.Generator().manual_seed(seed))


def log_mel(seed: int) -> np.ndarray:
    return Frontend()(torch.from_numpy(melody(2, seed)[:36934])[None]).double().numpy()


# --- reconstruction error


def test_the_error_is_the_distance_over_the_mean_distance_of_pairs():
    x, y = excerpts(5), excerpts(5, 1)
    a, b = x.double().numpy(), y.double().numpy()
    pairs = [np.sqrt(((a[i] - a[j]) ** 2).sum()) for i in range(5) for j in range(i)]
    unit = mean_pairwise_distance(x)
    assert unit == pytest.approx(np.mean(pairs), rel=1e-5)
    expected = [np.sqrt(((one - other) ** 2).sum()) / np.mean(pairs) for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(reconstruction_errors(x, y, unit), expected, rtol=1e-5)


def test_the_papers_form_reaches_its_own_best_and_no_further():
    x = 2 * excerpts(2)
    best = best_of_paper_form(x)
    assert set(best) == set(LAYERS)
    assert torch.equal(best["conv5"], x.clamp(min=-1))
    assert torch.all(best["conv2"][:, :2] == 0)
    assert torch.all(best["conv2"][:, :, -2:] == 0)
    assert torch.equal(best["conv1"][:, 1:-1, 1:-1], x.clamp(min=-1)[:, 1:-1, 1:-1])
    network = SVDNet().eval()
    for layer in ("conv1", "conv2"):
        with torch.inference_mode():
            shown = FeatureInverter(layer, "paper").eval()(network.activations(x)[layer])
        assert (shown - x).norm() >= (best[layer] - x).norm()


def test_the_interval_is_that_of_files_not_of_excerpts():
    tally = Errors()
    for _ in range(3):  # two files that differ, whose own excerpts hardly do
        drawn = EvaluationSet(excerpts(4), np.array([0, 0, 1, 1]), np.zeros(4, bool))
        tally.add(torch.tensor([0.2, 0.2, 0.6, 0.6]), drawn)
    assert tally.interval == pytest.approx({"mean": 0.4, "low": 0.2, "high": 0.6})


# --- structure


def test_onsets_are_found_again_and_unrelated_ones_are_not():
    one = log_mel(0)
    assert structure.onset_correlation(one, one)[0] == pytest.approx(1)
    assert structure.onset_correlation(one, one - 3)[0] == pytest.approx(1)
    assert structure.onset_correlation(one, np.roll(one, 9, axis=1))[0] < 0.3  # an eighth of a second off
    assert structure.onset_correlation(one, np.repeat(one.mean(axis=1, keepdims=True), 115, axis=1))[0] == 0


def test_harmonics_are_kept_by_a_copy_and_lost_by_what_is_smooth_in_frequency():
    one = log_mel(0)
    smooth = np.repeat(one.mean(axis=2, keepdims=True), 80, axis=2)
    assert structure.harmonic_share(one, one) == pytest.approx(1)
    assert structure.harmonic_share(one, one / 2) == pytest.approx(0.5)
    assert structure.harmonic_share(one, smooth) == pytest.approx(0, abs=1e-9)


def test_a_comb_is_highest_at_the_pitch_that_sounds():
    samples = sum(np.sin(2 * np.pi * 220 * k * np.arange(36934) / 22050) for k in range(1, 9)) / 10
    heights = Frontend()(torch.from_numpy(samples).float()[None]).double().numpy()[0] @ structure.combs()
    pitch_hz = structure.PITCHES_HZ[heights.mean(axis=0).argmax()]
    assert pitch_hz == pytest.approx(220, rel=0.03)


def test_classes_that_differ_in_high_bands_are_told_apart_there():
    sung = np.arange(20) % 2 == 0
    pictures = 0.1 * np.random.default_rng(0).standard_normal((20, 115, 80))
    pictures[sung, :, 60:] += 1
    contrast = structure.class_contrast(pictures, sung)
    assert contrast is not None
    assert contrast["auc_of_high_over_low"] == 1
    assert np.mean(contrast["vocal_minus_non_vocal_by_band"][60:]) == pytest.approx(1, abs=0.05)
    assert contrast["vocal"]["high"] > contrast["non_vocal"]["high"]
    assert structure.class_contrast(pictures, np.ones(20, bool)) is None


# --- gradient descent on the excerpt


def test_descent_finds_an_excerpt_with_the_wanted_activations():
    torch.manual_seed(0)
    network = SVDNet().eval().requires_grad_(requires_grad=False)
    wanted = excerpts(2)
    found = invert_by_descent(wanted, network, "conv1", DescentOptions(steps=60))
    start = invert_by_descent(wanted, network, "conv1", DescentOptions(steps=1))
    assert (found - wanted).norm() < 0.35 * (start - wanted).norm()


# --- evaluation sets and the command


def test_a_set_has_eight_excerpts_of_every_file_and_knows_their_class():
    tracks = [noise_track(300, seed=0), noise_track(200, seed=1, sung=True)]
    drawn = evaluation_set(tracks, Frontend(), PLAIN, seed=0)
    assert drawn.excerpts.shape == (16, 115, 80)
    assert drawn.file.tolist() == [0] * 8 + [1] * 8
    assert drawn.sung.tolist() == [False] * 8 + [True] * 8
    assert torch.equal(drawn.excerpts, evaluation_set(tracks, Frontend(), PLAIN, seed=0).excerpts)
    assert not torch.equal(drawn.excerpts, evaluation_set(tracks, Frontend(), PLAIN, seed=1).excerpts)


def test_a_file_shorter_than_an_excerpt_is_named():
    with pytest.raises(CorpusError, match="noise-7"):
        evaluation_set([noise_track(100, seed=7)], Frontend(), PLAIN, seed=0)


def test_the_same_files_are_chosen_every_time():
    tracks = [noise_track(120, seed).track for seed in range(10)]
    chosen = some_files(tracks, 4)
    assert chosen == some_files(tracks, 4)
    assert len(chosen) == 4
    assert some_files(tracks, 20) == tracks


@pytest.mark.parametrize(("change", "complaint"), [({"files": 1}, "files"), ({"draws": 2}, "detailed_draws")])
def test_too_little_to_measure_is_refused_by_name(change, complaint):
    with pytest.raises(OptionsError, match=complaint):
        InversionOptions(**change)


def test_a_perfect_inverter_has_no_error_and_keeps_everything():
    class Perfect(FeatureInverter):
        """Knows the excerpts by heart."""

        def forward(self, activation):
            return drawn.excerpts

    torch.manual_seed(0)
    drawn = evaluation_set([noise_track(400, seed) for seed in range(2)], Frontend(), PLAIN, seed=0)
    judge = Judge(
        SVDNet().eval(),
        PLAIN,
        {"joint": [Perfect("fc8")]},
        "conv5",
        torch.zeros(115, 80),
        InversionOptions(files=2, draws=1, detailed_draws=1),
    )
    found = judge.corpus([drawn])
    assert found["nre"] == {"joint": {"fc8": {"mean": 0, "low": 0, "high": 0}}}
    assert found["comparator_distance"] == {"joint": {"fc8": pytest.approx(0, abs=1e-5)}}
    assert found["structure"]["fc8"]["onset_correlation"] == pytest.approx(1)
    assert found["mean_excerpt_baseline"] > 0.5
    json.dumps(found, allow_nan=False)

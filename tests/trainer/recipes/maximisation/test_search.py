"""The search for settings: what is maximised, how it is maximised, read, kept and compared."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.maximisation.measures import compared, measures
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend, band_peaks_hz
from phonoscope_trainer.graphs.maximise import AdamOptions
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from phonoscope_trainer.recipes.gan.frechet import frechet_distance
from phonoscope_trainer.recipes.maximisation.ascent import LatentMaximiser, Setting, maximise_input
from phonoscope_trainer.recipes.maximisation.real_responses import RealResponses, real_responses
from phonoscope_trainer.recipes.maximisation.response import parsed
from phonoscope_trainer.recipes.maximisation.search import SearchOptions, search
from support.corpora.features import noise_track

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80))
ADAM = AdamOptions(steps_per_call=2)
OPTIONS = SearchOptions(learning_rates=(0.1, 0.01), prior_weights=(0.1,), steps=(1, 3), examples=3)


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(1)
    return Generator("5x5").eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def ascent(network, generator, tmp_path_factory) -> LatentMaximiser:
    folder = tmp_path_factory.mktemp("graph")
    return LatentMaximiser(generator, STANDARDISE, network, parsed("output"), ADAM, folder, threads=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("output", lambda a: a["logit"][:, 0]),
        ("fc7:12", lambda a: a["fc7"][:, 12]),
        ("fc8", lambda a: a["fc8"].mean(dim=1)),
        ("conv4:3", lambda a: a["conv4"][:, 3].mean(dim=(1, 2))),
        ("conv5:3@16x10", lambda a: a["conv5"][:, 3, 16, 10]),
        ("mp6*2, fc7:0*-0.5", lambda a: 2 * a["mp6"].mean(dim=(1, 2, 3)) - 0.5 * a["fc7"][:, 0]),
        ("2*mp6,-.5*fc7:0", lambda a: 2 * a["mp6"].mean(dim=(1, 2, 3)) - 0.5 * a["fc7"][:, 0]),
        ("output*1e-1", lambda a: 0.1 * a["logit"][:, 0]),
    ],
)
def test_a_response_is_the_sum_it_is_written_as(network, text, expected):
    excerpts = torch.randn(2, 115, 80)
    response = parsed(text)
    torch.testing.assert_close(response.of(network, excerpts), expected(network.activations(excerpts)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fc6", "one of conv1"),
        ("fc7:256", "channels 0 to 255"),
        ("fc7:", "LAYER"),
        ("fc7*1.2.3", "LAYER"),
        ("2*fc7*3", "LAYER"),
        ("mp6@11x0", "frames 0 to 10"),
        ("fc8@0x0", "no positions"),
        ("mp6@1x1,conv5@2x2", "one position"),
    ],
)
def test_a_response_that_is_not_there_is_refused(text, message):
    with pytest.raises(OptionsError, match=message):
        parsed(text)


def slow_ascent(generator, network, z, setting, steps) -> np.ndarray:
    """The paper's Eq. 2 by torch's own Adam and autograd."""
    z = torch.from_numpy(z).clone().requires_grad_()
    adam = torch.optim.Adam([z], setting.learning_rate, (0.99, 0.999), 1e-8)
    for _ in range(steps):
        adam.zero_grad()
        response = network(STANDARDISE(generator(z)))[:, 0]
        objective = setting.sign * response - setting.prior_weight * 0.5 * z.square().sum(dim=1)
        (-objective.sum()).backward()
        adam.step()
    return z.detach().numpy()


@pytest.mark.parametrize("sign", [1, -1])
def test_every_reading_is_where_adam_stands_after_so_many_steps(ascent, generator, network, sign):
    start, setting = OPTIONS.start(), Setting(0.05, 0.1, sign)
    readings = ascent(start, setting, (1, 3))
    assert [reading.steps for reading in readings] == [1, 3]
    for reading in readings:
        expected = slow_ascent(generator, network, start, setting, reading.steps)
        # Where a gradient is all but zero, its sign is a matter of rounding, and Adam's first steps are signs.
        assert np.mean(np.abs(reading.points - expected) > 1e-3) < 0.02
        assert np.abs(reading.points - expected).mean() < 1e-4
        with torch.no_grad():
            responses = network(STANDARDISE(generator(torch.from_numpy(reading.points))))[:, 0]
        np.testing.assert_allclose(reading.responses, responses, atol=1e-4)


def test_without_a_prior_every_bin_moves_uphill(network):
    log_mel, response = torch.randn(2, 115, 80), parsed("output")
    before = response.of(network, STANDARDISE(log_mel)).numpy()
    for sign in (1, -1):
        reached, after = maximise_input(log_mel, network, STANDARDISE, response, Setting(0.01, 0.0, sign), 2, ADAM)
        assert np.all(sign * (after - before) > 0)
        assert (reached - log_mel).abs().max().item() == pytest.approx(0.02, rel=0.05)


def test_the_search_ranks_every_setting_by_its_distance_to_real_responses(ascent, tmp_path):
    real = np.array([0.1, 0.2, 0.4], np.float32)
    tried = search(tmp_path, ascent, real, OPTIONS)
    assert sorted((e.setting.learning_rate, e.reading.steps) for e in tried) == [
        (0.01, 1),
        (0.01, 3),
        (0.1, 1),
        (0.1, 3),
    ]
    assert [each.fid for each in tried] == sorted(each.fid for each in tried)
    for each in tried:
        assert each.fid == pytest.approx(frechet_distance(real, each.reading.responses))
    table = json.loads((tmp_path / "settings.json").read_text())
    assert table["settings"] == [each.row() for each in tried]
    assert table["options"]["examples"] == 3


def test_a_killed_search_makes_only_what_is_missing(ascent, tmp_path):
    class Counting:
        def __init__(self, allowed: int) -> None:
            self.made, self.allowed = 0, allowed

        def __call__(self, *arguments):
            if self.made == self.allowed:
                raise KeyboardInterrupt
            self.made += 1
            return ascent(*arguments)

    real, killed, again = np.array([0.1, 0.2, 0.4], np.float32), Counting(1), Counting(5)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "killed", killed, real, OPTIONS)
    resumed = search(tmp_path / "killed", again, real, OPTIONS)
    whole = search(tmp_path / "whole", ascent, real, OPTIONS)
    assert again.made == 1
    assert [each.row() for each in resumed] == [each.row() for each in whole]


def test_real_responses_are_those_of_excerpts_50_frames_apart(network, tmp_path):
    tracks = [noise_track(330, 0), noise_track(114, 1), noise_track(500, 2)]
    response = parsed("output")
    real = real_responses(tracks, Frontend(), network, STANDARDISE, response, 3)
    excerpts = [
        Frontend().log_mel(torch.from_numpy(track.magnitudes[0, start : start + 115].astype(np.float32)))
        for track in tracks
        for start in range(0, len(track.labels) - 114, 50)
    ]
    with torch.no_grad():
        expected = response.of(network, STANDARDISE(torch.stack(excerpts))).numpy()
    np.testing.assert_allclose(real.responses, expected, atol=1e-5)
    ordered = np.sort(expected)
    for found, extreme in ((real.highest, ordered[::-1][:3]), (real.lowest, ordered[:3])):
        apart = np.abs(found[:, None] - np.stack(excerpts)).max(axis=(2, 3))
        nearest = apart.argmin(axis=1)
        assert apart.min(axis=1).max() < 1e-5, "every one is an excerpt"
        assert len(set(nearest)) == 3
        np.testing.assert_allclose(expected[nearest], extreme, atol=1e-5)  # rounding may swap those that are alike
    np.testing.assert_allclose(real.ranked(2, 1), np.sort(expected)[::-1][:2], atol=1e-5)
    np.testing.assert_allclose(real.ranked(2, -1), np.sort(expected)[:2], atol=1e-5)
    real.save(tmp_path / "real.npz")
    assert np.array_equal(RealResponses.load(tmp_path / "real.npz").highest, real.highest)
    with pytest.raises(OptionsError, match="only 13"):
        real_responses(tracks, Frontend(), network, STANDARDISE, response, 14)


def test_measures_hear_bass_harmonics_and_onsets():
    centres = band_peaks_hz(FRONTEND)[1:-1]
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(4, 115, 80))
    bass, tone, drum = plain.copy(), plain.copy(), plain.copy()
    bass[:, :, centres < 100] += 3
    for harmonic in range(1, 8):
        tone[:, :, np.abs(centres - 250 * harmonic).argmin()] += 4
    drum[:, ::20] += 3
    found = {name: measures(each) for name, each in {"plain": plain, "bass": bass, "tone": tone, "drum": drum}.items()}
    for name, measure in (("bass", "bass_db"), ("tone", "harmonicity_db"), ("drum", "onsets_db")):
        others = [found[other][measure].max() for other in found if other != name]
        assert found[name][measure].min() > max(others), measure


def test_paired_differences_have_intervals_that_hold_their_mean():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(20, 115, 80))
    document = compared({"one": one, "other": one + 1, "rest": one[:5]}, (("other", "one"),))
    level = document["level_db"]["other_minus_one"]
    assert level["mean"] == pytest.approx(20 / np.log(10))
    assert level["low"] == pytest.approx(level["high"])
    onsets = document["onsets_db"]["one"]
    assert onsets["low"] < onsets["mean"] < onsets["high"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", (5, 3)),
        ("steps", ()),
        ("learning_rates", (0.0,)),
        ("prior_weights", (-1.0,)),
        ("sign", 2),
        ("examples", 1),
    ],
)
def test_a_search_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        dataclasses.replace(OPTIONS, **{field: value})


def test_the_channels_of_a_response_are_the_networks(network):
    activations = network.activations(torch.zeros(1, 115, 80))
    assert len(parsed("output").weights) == sum(activations[layer].shape[1] for layer in (*LAYERS, "logit"))

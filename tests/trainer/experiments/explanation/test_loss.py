"""The explanation-loss experiment: controls, rates and labels, each against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.explanation.controls import CONTROLS, first_bins, ranks
from phonoscope_trainer.experiments.explanation.default_rule import default_rule
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts, balanced_excerpts
from phonoscope_trainer.experiments.explanation.loss import Judge, LossOptions, masked
from phonoscope_trainer.experiments.explanation.rates import Rates
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.mask import M1, M2
from phonoscope_trainer.measures.bootstrap import BootstrapOptions
from phonoscope_trainer.networks.standardise import Standardise
from support.corpora.features import noise_track

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80))
CORNER = (slice(None), slice(0, 40), slice(0, 60))  # a quarter of an excerpt, about


def in_the_corner(standardised):
    """A detector that hears one corner only: vocal where that is louder than the band's mean."""
    return standardised[CORNER].mean(dim=(1, 2)) + 0.01  # so a blank excerpt is vocal


def relevances(standardised):
    """One rule that knows the corner, and the paper's, which points at where nothing is heard."""
    knows = torch.zeros_like(standardised)
    knows[CORNER] = 1.0
    return {"gradient": knows, "inversion": 1 - knows}


DETECTOR = ExplainedDetector(in_the_corner, relevances, STANDARDISE, 0.5)


def excerpts(rows=24) -> Excerpts:
    """As many loud as quiet ones, four tracks."""
    generator = torch.Generator().manual_seed(0)
    standardised = torch.randn(rows, 115, 80, generator=generator)
    vocal = np.arange(rows) % 2 == 0
    standardised[CORNER] += torch.where(torch.from_numpy(vocal), 0.5, -0.5)[:, None, None]
    log_mel = standardised * STANDARDISE.std + STANDARDISE.mean
    return Excerpts(log_mel, vocal, np.arange(rows) * 4 // rows, np.arange(rows), vocal_share=0.8)


def judge(**options) -> Judge:
    def heard(batch, masks):
        return DETECTOR.is_vocal(masked(batch.log_mel, masks, M1, DETECTOR))

    chosen = LossOptions(excerpts=24, control_excerpts=8, batch=5, **options)
    return Judge(DETECTOR, heard, chosen, lambda batches, count, what: batches)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("count", [0, 1, 1380, 9200])
def test_every_control_has_exactly_the_area_it_is_compared_at(control, count):
    log_mel = torch.zeros(2, 115, 80)  # ties everywhere
    scores = CONTROLS[control](log_mel, np.random.default_rng(0))
    region = first_bins(ranks(scores), torch.tensor([count, 100]))
    assert region.sum(dim=(1, 2)).tolist() == [count, 100]


def test_controls_are_what_their_names_say():
    log_mel, rng = torch.randn(2, 115, 80), np.random.default_rng(0)
    regions = {
        name: first_bins(ranks(control(log_mel, rng)), torch.tensor([2300, 2300])) for name, control in CONTROLS.items()
    }
    loud = regions["energy_threshold"]
    assert log_mel[0][loud[0]].min() > log_mel[0][~loud[0]].max()
    assert torch.all(regions["low_band"][:, :, :20])
    assert not torch.any(regions["low_band"][:, :, 20:])
    agreement = {name: (region[:, 1:] == region[:, :-1]).float().mean() for name, region in regions.items()}
    assert agreement["random_block"] > 0.9 > agreement["random_bins"]
    assert not torch.equal(*regions["random_block"]), "another block for every excerpt"


def test_ranks_order_bins_by_score_and_then_by_place():
    scores = torch.tensor([[[1.0, 3.0], [3.0, 2.0]]])
    assert ranks(scores).tolist() == [[[3, 0], [1, 2]]]


def test_m1_masks_what_is_standardised_and_m2_what_is_not():
    log_mel, region = torch.randn(2, 115, 80), torch.rand(2, 115, 80) < 0.5
    mean, std = (part.double().numpy() for part in (STANDARDISE.mean, STANDARDISE.std))
    raw, kept = log_mel.double().numpy(), region.numpy()
    np.testing.assert_allclose(masked(log_mel, region, M1, DETECTOR), (raw - mean) / std * kept, atol=1e-5)
    np.testing.assert_allclose(masked(log_mel, region, M2, DETECTOR), (raw * kept - mean) / std, atol=1e-5)


def test_rates_are_means_of_classes_and_their_intervals_those_of_redrawn_tracks():
    sample, rng = excerpts(40), np.random.default_rng(3)
    values = rng.random(40) < np.linspace(0.1, 0.9, 40)
    rates = Rates.of(sample, BootstrapOptions(resamples=1000))
    vocal, rest = values[sample.is_vocal].mean(), values[~sample.is_vocal].mean()
    assert rates.per_class(values) == pytest.approx({"vocal": vocal, "non_vocal": rest})
    for share, found in ((0.5, rates.balanced(values)), (0.8, rates.pooled(values))):
        assert found["mean"] == pytest.approx(share * vocal + (1 - share) * rest)
        resampled = []
        for counts in rates.drawn.astype(int):
            rows = np.concatenate([np.tile(np.flatnonzero(sample.track == t), n) for t, n in enumerate(counts)])
            again, is_vocal = values[rows], sample.is_vocal[rows]
            resampled.append(share * again[is_vocal].mean() + (1 - share) * again[~is_vocal].mean())
        np.testing.assert_allclose((found["low"], found["high"]), np.quantile(resampled, (0.025, 0.975)))


def test_a_single_track_has_no_spread():
    sample = excerpts()
    alone = Rates.of(Excerpts(sample.log_mel, sample.is_vocal, np.zeros(24, int), sample.first_frame, 0.5))
    found = alone.balanced(np.arange(24) < 6)
    assert found["low"] == pytest.approx(found["mean"]) == pytest.approx(found["high"])


def test_as_many_excerpts_are_drawn_that_are_called_vocal_as_others():
    tracks, frontend = [noise_track(400, seed) for seed in range(3)], Frontend()

    def brighter_than_usual(log_mel):
        return log_mel[:, 57].mean(dim=1) > -0.7

    found = balanced_excerpts("noise", tracks, frontend, brighter_than_usual, 20, 0)
    assert found.is_vocal.sum() == 10
    np.testing.assert_array_equal(brighter_than_usual(found.log_mel).numpy(), found.is_vocal)
    assert 0 < found.vocal_share < 1
    assert np.all(np.diff(found.track) >= 0), "track by track, so that audio is read once"
    for row in range(20):
        magnitude = tracks[found.track[row]].magnitudes[0, found.first_frame[row] :][:115].astype(np.float32)
        torch.testing.assert_close(found.log_mel[row], frontend.log_mel(torch.from_numpy(magnitude)))
    some = found.some(6)
    assert (len(some), some.is_vocal.sum()) == (6, 3)


def test_a_class_that_hardly_occurs_is_named_with_its_corpus():
    def never(log_mel):
        return torch.zeros(len(log_mel), dtype=torch.bool)

    with pytest.raises(CorpusError, match=r"noise: of 40 excerpts 0 are called vocal and 2 are not; 2 of each"):
        balanced_excerpts("noise", [noise_track(400, 0)], Frontend(), never, 4, 0)


def test_a_true_explanation_keeps_its_label_loses_it_when_removed_and_is_heard():
    found = default_rule(judge(), torch.rand(2, 115, 80), excerpts())
    assert found["rule"] == "gradient"
    assert found["n"] == 24
    assert found["area"] == pytest.approx(40 * 60 / 9200)
    assert found["loss"]["mean"] == 0
    assert found["heard_loss"] == 0
    assert found["removed_flips"] == 0.5, "a blank excerpt is vocal: only the other class can lose its label"
    assert found["per_class"]["removed_flips"] == {"vocal": 0, "non_vocal": 1}
    assert set(found["controls"]) == {*CONTROLS, "shifted", "other", "constant", "silhouette"}
    assert found["controls"]["other"]["mean"] == 0, "every excerpt has the same region here"
    assert found["controls"]["silhouette"]["mean"] == 1, "it shows what has the other answer"
    assert found["heard_control"] == found["controls"]["random_block"]["mean"], "heard as in M1 here"
    assert max(control["mean"] for control in found["controls"].values()) > 0
    assert all(c["low"] <= c["mean"] <= c["high"] for c in found["controls"].values())


def test_the_paper_curve_begins_with_everything_and_ends_with_nothing():
    found = judge().paper(excerpts())
    assert set(found) == {"m1", "m2"}
    for points in found.values():
        assert [point["alpha"] for point in points] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1]
        first, last = points[0], points[-1]
        assert (first["area"], last["area"]) == (1, 0)
        assert first["loss"]["mean"] == 0
        assert all(control["mean"] == 0 for control in first["controls"].values())
        assert last["removed_flips"]["mean"] == 0, "where nothing is the region, removing it removes nothing"
        assert len({control["mean"] for control in last["controls"].values()}) == 1, "nothing is left of any"
    m1 = found["m1"]
    assert m1[5]["per_class"] == {"vocal": 0, "non_vocal": 1}, "its region holds nothing that is heard"
    assert m1[5]["loss"]["mean"] == pytest.approx(0.2), "pooled: the share of non-vocal excerpts"
    assert m1[5]["class_balanced"]["loss"]["mean"] == pytest.approx(0.5)
    assert (m1[5]["n"], m1[5]["control_n"]) == (24, 8)


def test_all_rules_and_controls_are_compared_at_equal_areas():
    found = judge(areas=(0.2609, 0.5)).at_equal_area(excerpts())
    assert set(found) == {"gradient", "inversion", *CONTROLS}
    quarter = {name: points[0] for name, points in found.items()}
    assert quarter["gradient"]["loss"]["mean"] == 0
    assert quarter["inversion"]["loss"]["mean"] == 0.5
    assert all(point["area"] == 0.5 for point in (points[1] for points in found.values()))


@pytest.mark.parametrize(("field", "value"), [("excerpts", 2), ("control_excerpts", 0), ("outside_db", -1.0)])
def test_an_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        LossOptions(**{field: value})

"""Evidence by exchange: every measure against its definition, row by row, and what is compared with what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments.explanation.answers import RightAnswers, right_answers
from phonoscope_trainer.experiments.explanation.baselines import Baselines, usual_regions
from phonoscope_trainer.experiments.explanation.controls import first_bins, ranks, shifted
from phonoscope_trainer.experiments.explanation.exchange import ExchangeOptions, Judge, Partners, summary
from phonoscope_trainer.experiments.explanation.partners import partners
from phonoscope_trainer.frontends.mel import Frontend, band_peaks_hz
from phonoscope_trainer.networks.standardise import Standardise

STANDARDISE = Standardise(torch.linspace(1, -2, 80), torch.linspace(0.8, 1.4, 80))
CORNER = (slice(0, 40), slice(0, 60))
LN_FLOOR = math.log(1e-7)


@dataclass(frozen=True)
class CornerListener:
    """A fake in place of a network: what it listens to is known. Vocal where the corner stands out from the rest."""

    standardise: Standardise = STANDARDISE
    default: str = "masker"

    def is_vocal(self, log_mel: torch.Tensor) -> torch.Tensor:
        return self.margins_of(log_mel) >= 0

    def margins_of(self, log_mel: torch.Tensor) -> torch.Tensor:
        inside = log_mel[:, CORNER[0], CORNER[1]].mean(dim=(1, 2))
        return 8 * (inside - log_mel.mean(dim=(1, 2)))

    def relevances(self, standardised: torch.Tensor) -> dict[str, torch.Tensor]:
        """One rule that knows the corner, better at its loud bins, and one that knows nothing of it."""
        knows = torch.sigmoid(standardised) * 0.4
        knows[:, CORNER[0], CORNER[1]] += 0.5
        return {"masker": knows, "gradient": torch.sigmoid(-standardised)}


LISTENER = CornerListener()


def answers(rows: int = 16, tracks: int = 4) -> RightAnswers:
    """As many of each answer, a voice in the corner or a hole; each track has both."""
    generator = torch.Generator().manual_seed(0)
    accompaniment = torch.randn(rows, 115, 80, generator=generator) + torch.linspace(-6, -2, rows)[:, None, None]
    log_mel = accompaniment.clone()
    sung = torch.arange(rows) % 2 == 0
    log_mel[:, CORNER[0], CORNER[1]] += torch.where(sung, 2.0, -2.0)[:, None, None]
    margin = LISTENER.margins_of(log_mel).double().numpy()
    assert ((margin >= 0) == sung.numpy()).all()
    return RightAnswers(log_mel, accompaniment, np.arange(rows) < rows - 4, margin, np.arange(rows) // 2 % tracks)


def baselines() -> Baselines:
    return Baselines(STANDARDISE, torch.rand(2, 115, 80, generator=torch.Generator().manual_seed(1)))


def judge(excerpts: RightAnswers, **options) -> Judge:
    return Judge(LISTENER, baselines(), excerpts, ExchangeOptions(batch=5, **options), lambda rows, what: rows)


def by_hand(excerpts: RightAnswers, row: int, host: int, third: int, region: np.ndarray) -> dict[str, bool]:
    """The definitions, for one excerpt, in float64 NumPy."""
    mine, other, stranger = (excerpts.log_mel[each].double().numpy() for each in (row, host, third))
    accompaniment = excerpts.accompaniment[row].double().numpy()

    def as_loud(music: np.ndarray) -> np.ndarray:
        rms, own = (np.sqrt(np.mean(np.exp(each) ** 2)) for each in (music, mine))
        return np.maximum(music + np.log(own / rms), LN_FLOOR)

    def gives(log_mel: np.ndarray) -> bool:
        called = log_mel[CORNER].mean() >= log_mel.mean()
        return bool(called == excerpts.is_vocal[row])

    return {
        "carried": gives(np.where(region, mine, as_loud(other))),
        "silhouette": gives(np.where(region, as_loud(stranger), as_loud(other))),
        "removed_flips": not gives(np.where(region, as_loud(other), mine)),
        "voice_muted": gives(np.where(region, accompaniment, as_loud(other))),
        "baseline_called": gives(as_loud(other)),
        "accompaniment_alone": gives(accompaniment),
    }


def test_every_measure_is_what_its_definition_says():
    excerpts = answers()
    found = judge(excerpts, draws=2)
    ranked, counts = found.ranked()
    values = found.default(ranked["masker"], counts)
    drawn = [Partners.draw(excerpts, 1.0, np.random.default_rng((0, draw))) for draw in range(2)]
    relevance = LISTENER.relevances(STANDARDISE(excerpts.log_mel))["masker"]
    for row in range(len(excerpts)):
        region = (relevance[row] >= 0.5).numpy()
        assert values["area"][row] == region.mean()
        expected = [by_hand(excerpts, row, each.host[row], each.third[row], region) for each in drawn]
        for name in expected[0]:
            assert values[name][row] == np.mean([each[name] for each in expected]), (row, name)


def test_a_true_region_carries_its_answer_and_its_silhouette_does_not():
    excerpts = answers()
    found = judge(excerpts)
    ranked, counts = found.ranked()
    values = found.default(ranked["masker"], counts)
    for vocal in (True, False):
        document = summary(values, excerpts, vocal=vocal)
        assert document["n"] == 8
        assert document["carried"]["mean"] == document["removed_flips"]["mean"] == 1
        assert document["silhouette"]["mean"] == document["baseline_called"]["mean"] == 0
        assert set(document["controls"]) == {"random", "shifted", "other"}
        assert document["controls"]["random"]["mean"] < 1
    vocal, rest = (summary(values, excerpts, vocal=each) for each in (True, False))
    assert {"voice_muted", "accompaniment_alone"} <= set(vocal)
    assert not {"voice_muted", "accompaniment_alone"} & set(rest), "there is no voice to mute"


def test_without_stems_nothing_is_said_of_a_muted_voice():
    excerpts = answers()
    unknown = RightAnswers(
        excerpts.log_mel, excerpts.accompaniment, np.zeros(16, bool), excerpts.margin, excerpts.track
    )
    found = judge(unknown, draws=1)
    ranked, counts = found.ranked()
    assert "voice_muted" not in summary(found.default(ranked["masker"], counts), unknown, vocal=True)


def test_rules_and_baselines_have_the_defaults_area_and_the_default_is_what_it_was():
    excerpts = answers()
    found = judge(excerpts, draws=1)
    ranked, counts = found.ranked()
    assert set(ranked) == {"masker", "gradient", "energy", "loudest_standardised", "loudest_voice_band", "constant"}
    for each in ranked.values():
        assert torch.equal(first_bins(each, counts).sum(dim=(1, 2)), counts)
    beside, default = found.beside(ranked, counts), found.default(ranked["masker"], counts)
    for measure in ("carried", "silhouette", "removed_flips", "voice_muted"):
        np.testing.assert_array_equal(beside["masker"][measure], default[measure])
    assert beside["gradient"]["carried"].mean() < beside["masker"]["carried"].mean()


def test_hosts_get_louder_with_the_excerpt_so_its_level_changes_nothing_here():
    excerpts = answers()
    found = judge(excerpts, draws=1, level_excerpts=6)
    levels = found.at_levels(found.ranked()[1])
    assert set(levels) == {"masker", "gradient"}
    for rule in levels.values():
        assert list(rule) == [-24, 0, 12]
        assert all(len(values["carried"]) == 6 for values in rule.values())
    assert levels["masker"][0]["carried"].mean() == levels["masker"][12]["carried"].mean() == 1


def test_partners_come_from_other_recordings_and_have_the_answer_that_is_asked_for():
    rng = np.random.default_rng(0)
    answer, track = rng.random(60) < 0.5, rng.integers(5, size=60)
    can_be = rng.random(60) < 0.7
    for same in (True, False):
        found = partners(answer, track, can_be, rng, same_answer=same)
        assert can_be[found].all()
        assert (track[found] != track).all()
        assert ((answer[found] == answer) == same).all()
    with pytest.raises(CorpusError, match="an instrumental answer is needed"):
        partners(answer, np.zeros(60, int), can_be, rng, same_answer=True)


def music(seed: int, *, kind: str = "", voice: float = 0.0) -> Features:
    """Noise of three parts, half of it sung; the voice lies in the corner's bands and is all that is heard there."""
    rng = np.random.default_rng(seed)
    accompaniment = rng.random((400, 372), np.float32)
    sings = np.arange(400) >= 200
    sung = accompaniment * voice * sings[:, None]
    magnitudes = np.stack([accompaniment + sung, sung, accompaniment]).astype(np.float16)
    track = Track(str(seed), str(seed), "test", (), mixture=Path("noise.wav"), kind=kind)
    return Features(track, magnitudes, sings)


def test_right_answers_are_right_in_the_middle_and_lone_voices_are_no_music():
    tracks = [music(1, voice=3), music(2, voice=0.0), music(3, voice=3), music(4, voice=3, kind="voice")]
    frontend = Frontend()

    def loud(log_mel):
        return log_mel[:, 57].mean(dim=1) - frontend.log_mel(torch.full((1, 372), 1.0)).mean()

    found = right_answers("noise", tracks, frontend, loud, 40, 0)
    assert len(found) == 40
    assert found.is_vocal.sum() == 20
    assert set(found.track[found.is_vocal]) <= {0, 2}, "track 1 is sung and not called so, track 3 is a lone voice"
    np.testing.assert_allclose(found.margin, loud(found.log_mel), rtol=1e-5)
    assert found.has_stems.all()
    with pytest.raises(CorpusError, match="noise: of its sung music the detector is right about none"):
        right_answers("noise", tracks[1:2], frontend, loud, 8, 0)
    assert not torch.equal(found.accompaniment[found.is_vocal], found.log_mel[found.is_vocal])


def test_baselines_order_bins_as_their_names_say():
    log_mel, is_vocal = torch.randn(2, 115, 80) - 3, torch.tensor([True, False])
    scores = baselines().scores(log_mel, is_vocal)
    counts = torch.tensor([1000, 1000])
    regions = {name: first_bins(ranks(each), counts) for name, each in scores.items()}
    for name, values in (("energy", log_mel), ("loudest_standardised", STANDARDISE(log_mel))):
        assert values[0][regions[name][0]].min() > values[0][~regions[name][0]].max()
    hertz = band_peaks_hz()[1:-1]
    inside = (hertz >= 200) & (hertz <= 5000)
    assert not regions["loudest_voice_band"][:, :, ~inside].any()
    band = log_mel[0][:, inside]
    assert (
        band[regions["loudest_voice_band"][0][:, inside]].min()
        > band[~regions["loudest_voice_band"][0][:, inside]].max()
    )
    usual = baselines().usual
    torch.testing.assert_close(scores["constant"], torch.stack([usual[1], usual[0]]))


def test_what_is_usual_is_a_mean_for_each_answer():
    log_mel = torch.randn(10, 115, 80)
    is_vocal = np.arange(10) % 3 == 0
    answers = {log_mel[first].sum().item(): is_vocal[first : first + 6] for first in (0, 6)}
    found = usual_regions(
        log_mel.split(6), lambda each: torch.from_numpy(answers[each[0].sum().item()]), lambda each: each > 0.5
    )
    for answer in (False, True):
        expected = (log_mel.numpy()[is_vocal == answer] > 0.5).mean(axis=0)
        np.testing.assert_allclose(found[int(answer)], expected, atol=1e-6)


def test_a_shifted_region_lies_half_an_excerpt_later_and_begins_anew():
    region = torch.zeros(1, 115, 80)
    region[0, 10, 5] = region[0, 100, 7] = 1
    assert shifted(region).nonzero().tolist() == [[0, 42, 7], [0, 67, 5]]


@pytest.mark.parametrize(("field", "value"), [("excerpts", 3), ("draws", 0), ("level_excerpts", 0), ("clear", -1.0)])
def test_an_option_outside_its_range_is_named(field, value):
    with pytest.raises(OptionsError, match=field):
        ExchangeOptions(**{field: value})

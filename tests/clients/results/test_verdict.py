"""The trust block in plain words."""

from dataclasses import replace

import pytest
from phonoscope_client import Doubt
from phonoscope_client.results.verdict.verdict import verdict
from phonoscope_client.results.wording import percent
from support.services.client_results import TRUST, explanation


def judged(**changes):
    return verdict(explanation(trust=replace(TRUST, **changes)))


def bearings(**changes):
    return [finding.bearing for finding in judged(**changes).findings]


def test_a_region_that_passes_every_trial_is_said_to_carry_the_answer():
    assert "carries the answer" in judged().headline
    assert bearings() == ["supports", "supports", "supports", "weakens", "supports", "neutral", "neutral"]


def test_a_random_region_that_does_as_well_is_said_to_take_the_meaning_from_the_explanation():
    weak = judged(controls_that_keep_label=2, removal_flips_label=False)
    assert weak.headline.startswith("This says little: most random regions")
    assert weak.findings[1].text == "So do 2 of 3 random regions of the same size, so keeping it says little."
    assert weak.findings[1].bearing == "weakens"


@pytest.mark.parametrize(
    ("kept", "controls", "bearing", "text"),
    [
        (True, 0, "supports", "None of 3 random regions of the same size keeps it."),
        (True, 1, "neutral", "1 of 3 random regions of the same size keeps it, too."),
        (True, 3, "weakens", "So do 3 of 3 random regions of the same size, so keeping it says little."),
        (False, 1, "neutral", "So do 2 of 3 random regions of the same size: at this size masking itself may decide."),
        (False, 2, "weakens", "2 of 3 random regions of the same size keep it."),
    ],
)
def test_how_many_random_regions_do_as_well_is_said(kept, controls, bearing, text):
    finding = judged(label_kept=kept, controls_that_keep_label=controls).findings[1]
    assert (finding.bearing, finding.text) == (bearing, text)


def test_nothing_is_called_carrying_the_answer_unless_it_passes_every_trial():
    for kept in (True, False):
        for flips in (True, False):
            for random in range(4):
                headline = judged(label_kept=kept, removal_flips_label=flips, controls_that_keep_label=random).headline
                assert ("carries the answer" in headline) == (kept and flips and random < 2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"label_kept": False, "removal_flips_label": False}, "does not explain the answer"),
        ({"label_kept": False}, "the region alone is not enough"),
        ({"removal_flips_label": False}, "enough for the answer, but not needed"),
        ({"relative_area": 0.0}, "no region"),
        ({"relative_area": 0.95}, "points at nothing"),
        ({"out_of_distribution": True}, "Do not lean on this explanation"),
    ],
)
def test_what_speaks_against_an_explanation_is_said_first(changes, says):
    assert says in judged(**changes).headline


def test_a_region_that_does_not_hold_when_it_is_heard_is_said_to_work_as_numbers_only():
    assert bearings(heard_label_kept=False)[4] == "weakens"
    assert any("not as sound" in finding.text for finding in judged(heard_label_kept=False).findings)
    assert len(judged(heard_probability=None, heard_label_kept=None).findings) == 6


UNSURE = Doubt(0.62, 0.55, 0.15, 0.995)
FOREIGN = Doubt(0.93, 0.1, 0.92, 1.0)


@pytest.mark.parametrize(
    ("doubt", "says"), [(UNSURE, "it may well be wrong"), (FOREIGN, "the sound is foreign to the networks")]
)
def test_an_answer_in_doubt_is_not_to_be_leaned_on_and_why_is_said(doubt, says):
    found = judged(out_of_distribution=True, doubt=doubt)
    assert found.headline.startswith("Do not lean on this answer")
    assert says in found.headline
    assert found.findings[-1].bearing == "weakens"
    assert found.findings[-1].text.endswith("and out of distribution.")


def test_doubt_is_told_as_two_chances():
    finding = judged(doubt=Doubt(0.124, 0.08, 0.048, 0.41)).findings[-1]
    assert (finding.bearing, finding.text) == (
        "neutral",
        "Such an answer is wrong with a chance of 8 %, such sound is foreign to the networks with 5 %: more doubt than "
        "about 41 % of the validation excerpts.",
    )


def test_an_even_chance_weakens_without_a_flag():
    assert judged(doubt=replace(UNSURE, percentile=0.98)).findings[-1].bearing == "weakens"


def test_unknown_sound_outweighs_a_region_that_passes_every_trial():
    assert bearings(out_of_distribution=True)[-1] == "weakens"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "under 1 %"), (0.26, "26 %"), (0.996, "over 99 %"), (1, "100 %")],
)
def test_a_share_is_not_rounded_to_nothing_or_everything(share, text):
    assert percent(share) == text

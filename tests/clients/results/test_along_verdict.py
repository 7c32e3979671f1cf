"""The verdict on an explanation of a track: no kinder than what was tried allows."""

from dataclasses import replace

import pytest
from phonoscope_client import Doubt, Share
from phonoscope_client.results.verdict.along import standing, track_verdict
from support.services.track_results import TRUSTS, explanation

KEPT = TRUSTS[0]
CARRIED = replace(
    KEPT,
    carried=Share(1, 1, (0.9,)),
    silhouette=Share(1, 0, (0.1,)),
    removed=Share(1, 0, (0.2,)),
    carried_over_silhouette=1.0,
)


def judged(trust, label="vocal"):
    return track_verdict(explanation(15.0, label, trust))


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        (KEPT, "holds"),
        (replace(KEPT, holds=False), "fails"),
        (replace(KEPT, holds=None), "untried"),
        (replace(KEPT, out_of_distribution=True), "doubtful"),
    ],
)
def test_a_badge_is_about_what_was_tried_and_doubt_comes_first(trust, expected):
    assert standing(explanation(15.0, "vocal", trust)) == expected


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        (CARRIED, "the answer goes with it, and is lost without it"),
        (replace(CARRIED, silhouette=Share(1, 1, (0.9,))), "outline sings by itself"),
        (
            replace(CARRIED, carried=Share(1, 0, (0.1,)), removed=Share(1, 1, (0.9,))),
            "neither carries it nor is needed",
        ),
        (KEPT, "an outline may do that by itself"),
        (replace(KEPT, label_kept=False), "does not keep the answer"),
        (replace(KEPT, label_kept=None), "nothing was tried"),
        (replace(KEPT, relative_area=0.0), "There is no region"),
        (replace(KEPT, relative_area=0.95), "points at nothing"),
        (replace(CARRIED, out_of_distribution=True, doubt=Doubt(0.9, 0.1, 0.9, 1.0)), "foreign"),
    ],
)
def test_the_headline_says_the_most_telling_thing(trust, said):
    assert said in judged(trust).headline


def test_an_absence_is_no_strong_explanation():
    verdict = judged(CARRIED, "instrumental")
    assert "an absence is hard to point at" in verdict.headline
    assert any("this evidence is weak" in finding.text for finding in verdict.findings)


def test_every_trial_that_was_made_is_told_and_no_other():
    texts = " ".join(finding.text for finding in judged(CARRIED).findings)
    for part in ("keeps the answer in 1 of 1", "Its silhouette", "is lost in 1 of 1", "With all else masked", "covers"):
        assert part in texts
    assert "other regions" not in texts  # no control was carried
    assert "silhouette" not in " ".join(finding.text for finding in judged(KEPT).findings)


def test_of_no_region_nothing_is_tried():
    verdict = judged(replace(CARRIED, relative_area=0.0))
    assert any("nothing to keep" in finding.text for finding in verdict.findings)
    assert not any("silhouette" in finding.text for finding in verdict.findings)

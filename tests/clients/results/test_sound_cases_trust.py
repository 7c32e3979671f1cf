"""What is said of an explanation that was played: beside random regions that were, and never of no region."""

from dataclasses import replace

import numpy as np
import pytest
from phonoscope_client import Explanation
from phonoscope_client.commands.plain_text import explanation_text
from phonoscope_client.results.verdict.trials import trials
from phonoscope_client.results.verdict.verdict import verdict
from support.services.client_results import TRUST, explanation

UNHEARD = {
    "heard_probability": None,
    "heard_label_kept": None,
    "heard_control_probabilities": None,
    "heard_control_label_kept": None,
}
SOFTER = "Played, with everything else far softer, the region keeps the answer"


def tried(**changes):
    return explanation(trust=replace(TRUST, **changes))


def heard(kept, controls):
    """A vocal excerpt's; so many of the random regions keep that label."""
    played = tuple([0.8] * controls + [0.2] * (3 - controls))
    return tried(heard_label_kept=kept, heard_control_probabilities=played, heard_control_label_kept=2 * controls > 3)


@pytest.mark.parametrize(
    ("kept", "controls", "bearing", "text"),
    [
        (True, 0, "supports", f"{SOFTER}; of 3 random regions of the same size, none does."),
        (True, 1, "supports", f"{SOFTER}; of 3 random regions of the same size, 1 does."),
        (True, 2, "neutral", f"{SOFTER}. So do 2 of 3 random regions of the same size, so that says little."),
        (True, 3, "neutral", f"{SOFTER}. So do 3 of 3 random regions of the same size, so that says little."),
        (False, 1, "weakens", "Played, the region loses the answer: it works as numbers, not as sound."),
        (
            False,
            2,
            "weakens",
            "Played, the region loses the answer, which 2 of 3 random regions keep: it works as numbers, not as sound.",
        ),
    ],
)
def test_what_is_heard_says_as_much_as_random_regions_leave_it(kept, controls, bearing, text):
    played = heard(kept, controls)
    finding = verdict(played).findings[4]
    assert (finding.bearing, finding.text) == (bearing, text)
    assert text in explanation_text(played, song="song")


def test_without_random_regions_beside_it_what_is_heard_supports_nothing():
    finding = verdict(tried(heard_control_probabilities=None, heard_control_label_kept=None)).findings[4]
    assert (finding.bearing, finding.text) == ("neutral", f"{SOFTER}; no random region was played beside it.")


def test_every_region_that_was_played_is_listed():
    names = [(trial.name, trial.label) for trial in trials(heard(kept=True, controls=1))]
    assert names[-4:] == [
        ("The region played", "vocal"),
        ("Random region 1 played", "vocal"),
        ("Random region 2 played", "instrumental"),
        ("Random region 3 played", "instrumental"),
    ]


def test_no_region_is_evidence_of_nothing_and_the_text_says_so():
    empty = tried(relative_area=0.0, **UNHEARD)
    assert not [finding for finding in verdict(empty).findings if finding.bearing == "supports"]
    text = explanation_text(empty, song="song")
    assert "There is nothing to keep, to remove or to play" in text
    assert "+ " not in text
    assert "played" not in text


def test_all_that_was_heard_is_kept_in_archives_and_json(tmp_path):
    saved = heard(kept=True, controls=2)
    saved.save(tmp_path / "explanation.npz")
    assert Explanation.load(tmp_path / "explanation.npz").trust == saved.trust
    assert saved.to_json()["trust"]["heard_control_probabilities"] == (0.8, 0.8, 0.2)
    assert saved.to_json()["trust"]["heard_control_label_kept"] is True


def test_an_archive_of_before_is_read_and_tells_nothing_of_random_regions_that_were_heard(tmp_path):
    explanation().save(tmp_path / "explanation.npz")
    with np.load(tmp_path / "explanation.npz") as archive:
        older = {name: archive[name] for name in archive.files if "heard_control" not in name}
    np.savez(tmp_path / "older.npz", **older)
    trust = Explanation.load(tmp_path / "older.npz").trust
    assert trust.heard_probability == TRUST.heard_probability
    assert trust.heard_control_probabilities is trust.heard_control_label_kept is None

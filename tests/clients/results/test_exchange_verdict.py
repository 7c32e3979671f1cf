"""What is said of a region that was exchanged with other music."""

from dataclasses import replace

import numpy as np
import pytest
from phonoscope_client import Explanation, Share
from phonoscope_client.commands.plain_text import explanation_text
from phonoscope_client.results.verdict.trials import trials
from phonoscope_client.results.verdict.verdict import verdict
from support.services.client_results import EXCHANGED_TRUST, exchanged, explanation

ALL, NONE = Share(3, 3), Share(3, 0)
KEPT, LOST = Share(2, 2), Share(2, 0)
EVERY_CONTROL = {name: Share(1, 1) for name in ("random", "shifted", "other")}


def judged(label="vocal", **changes):
    return verdict(replace(exchanged(**changes), label=label))


def bearing(text, **changes):
    (found,) = [finding.bearing for finding in judged(**changes).findings if text in finding.text]
    return found


def test_a_region_that_passes_every_trial_is_said_to_carry_the_answer():
    passed = judged()
    assert passed.headline.startswith("What this region holds carries the answer")
    assert [finding.bearing for finding in passed.findings[:5]] == ["supports"] * 5


@pytest.mark.parametrize("removed", [KEPT, LOST])
@pytest.mark.parametrize("carried", [ALL, NONE])
def test_an_outline_that_sings_is_called_so_whatever_else_was_found(carried, removed):
    outlined = judged(silhouette=Share(3, 2), carried=carried, removed=removed)
    assert outlined.headline.startswith("The region's outline sings by itself")
    assert bearing("Its silhouette", silhouette=Share(3, 2)) == "weakens"


def test_nothing_is_said_to_carry_the_answer_unless_it_passes_every_trial():
    for carried in (ALL, NONE):
        for silhouette in (ALL, NONE):
            for removed in (KEPT, LOST):
                for controls in (EVERY_CONTROL, EXCHANGED_TRUST.controls):
                    changes = {"carried": carried, "silhouette": silhouette, "removed": removed, "controls": controls}
                    passed = changes == {
                        "carried": ALL,
                        "silhouette": NONE,
                        "removed": LOST,
                        "controls": EXCHANGED_TRUST.controls,
                    }
                    assert ("carries the answer: " in judged(**changes).headline) == passed


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"removed": KEPT}, "enough for the answer, but not needed"),
        ({"carried": NONE}, "The answer needs this region, but"),
        ({"carried": NONE, "removed": KEPT}, "does not explain the answer"),
        ({"removed": KEPT, "controls": EVERY_CONTROL}, "This says little"),
        ({"removed": None, "controls": {}}, "whether it is needed was not tried"),
        ({"removed": None, "controls": {}, "carried": NONE}, "does not carry it into other music"),
        ({"relative_area": 0.0, "carried": Share(0, 0), "silhouette": Share(0, 0)}, "There is no region"),
        ({"out_of_distribution": True}, "Do not lean on this explanation"),
    ],
)
def test_what_speaks_against_a_region_is_said_first(changes, says):
    made = exchanged(**{name: value for name, value in changes.items() if name != "relative_area"})
    if "relative_area" in changes:
        made = replace(made, trust=replace(made.trust, relative_area=changes["relative_area"]))
    assert says in verdict(made).headline


@pytest.mark.parametrize("carried", [ALL, NONE])
@pytest.mark.parametrize("removed", [KEPT, LOST])
def test_of_an_answer_that_nobody_sings_no_region_is_said_to_carry_it(carried, removed):
    headline = judged("instrumental", carried=carried, removed=removed).headline
    assert "carries the answer" not in headline
    assert "hard to point at" in headline or "does not explain" in headline
    assert any("evidence is weak for such answers" in each.text for each in judged("instrumental").findings)
    assert not any("weak for such answers" in each.text for each in judged().findings)


def test_a_silhouette_that_keeps_nothing_supports_only_a_region_that_keeps_something():
    assert bearing("Its silhouette") == "supports"
    assert bearing("Its silhouette", carried=NONE) == "neutral"
    assert bearing("Its silhouette", silhouette=Share(3, 1)) == "neutral"


def test_controls_that_do_as_well_are_named():
    some = EXCHANGED_TRUST.controls | {"shifted": Share(1, 1)}
    assert bearing("1 keeps it, too: the region half an excerpt later.", controls=some) == "neutral"
    assert bearing("3 keep it, too", controls=EVERY_CONTROL) == "weakens"


@pytest.mark.parametrize(
    ("carried", "silhouette", "expected"), [(0.9, 0.1, "supports"), (0.9, 0.9, "neutral"), (0.1, 0.1, "weakens")]
)
def test_what_is_heard_in_other_music_counts_beside_its_silhouette(carried, silhouette, expected):
    heard = {"carried_heard_probability": carried, "silhouette_heard_probability": silhouette}
    assert bearing("Played in other music", **heard) == expected


def test_masking_is_told_as_the_papers_trial_and_carries_no_weight():
    assert bearing("The paper's trial") == "neutral"
    assert not any("not by exchange" in finding.text for finding in judged().findings)


def test_masking_alone_is_said_to_be_just_that():
    (finding,) = [each for each in verdict(explanation()).findings if "not by exchange" in each.text]
    assert finding.bearing == "weakens"


def test_every_try_is_listed_by_name():
    names = [trial.name for trial in trials(exchanged())]
    assert names[:13] == [
        "Excerpt as it is",
        *(f"Region carried {number}" for number in (1, 2, 3)),
        *(f"Its silhouette {number}" for number in (1, 2, 3)),
        *(f"Region filled {number}" for number in (1, 2)),
        "Random region carried",
        "Shifted region carried",
        "Another's region carried",
        "Region carried, played",
    ]
    assert "The region removed" in names
    assert all(len(name) < 25 for name in names), "they stand in a column"


def test_what_was_not_removed_is_not_listed():
    names = [trial.name for trial in trials(exchanged(removed_probability=None, removed=None, controls={}))]
    assert not {"The region removed", "Region filled 1", "Random region carried"} & set(names)


def test_the_text_says_what_came_of_it():
    text = explanation_text(exchanged(), song="song")
    assert "Region carried 1         0.911  vocal" in text
    assert "keeps the answer in 3 of 3 tries" in text


def test_an_exchange_is_kept_in_archives_and_json(tmp_path):
    saved = exchanged()
    saved.save(tmp_path / "explanation.npz")
    loaded = Explanation.load(tmp_path / "explanation.npz")
    assert loaded.trust == saved.trust
    np.testing.assert_array_equal(loaded.carried_audio.samples, saved.carried_audio.samples)
    document = saved.to_json()["trust"]
    assert document["carried"] == {"n": 3, "kept": 3, "probabilities": (0.911, 0.872, 0.743), "keeps": ()}
    assert list(document["controls"]) == ["random", "shifted", "other"]
    assert document["controls"]["other"] == {"n": 1, "kept": 0, "probabilities": (0.336,), "keeps": ()}
    assert document["carried_over_silhouette"] == 1.0


def test_an_archive_of_before_is_read_as_masking_alone(tmp_path):
    explanation().save(tmp_path / "explanation.npz")
    new = ("evidence", "carried", "silhouette", "removed.", "controls.")
    with np.load(tmp_path / "explanation.npz") as archive:
        older = {name: archive[name] for name in archive.files if not name.removeprefix("trust.").startswith(new)}
    np.savez(tmp_path / "older.npz", **older)
    trust = Explanation.load(tmp_path / "older.npz").trust
    assert (trust.evidence, trust.carried, trust.controls) == ("mean-fill", None, {})

"""Units that grow, and stories that need nothing but themselves."""

import io
import re

import pytest
import soundfile

pytestmark = pytest.mark.e2e
HOSTILE = "<script>alert(1)</script>"


def test_what_is_served_is_told_with_what_can_be_asked(visitor, client):
    said = visitor.get("/api/bundle").json
    bundle = client.describe()
    assert (said["bundle"], said["digest"]) == (bundle.name, bundle.digest)
    detector, tagger = said["listeners"]
    assert detector["has"] == dict.fromkeys(("explain", "nearest", "invert", "auralise", "maximise"), True) | {
        "contrast": False
    }
    assert tagger["has"] == dict.fromkeys(("explain", "nearest", "contrast", "auralise"), True) | dict.fromkeys(
        ("invert", "maximise"), False
    )
    assert detector["rules"][0] == {"name": "masker", "alpha": 0.5, "explains_any_label": False}
    assert {"name": "conv5", "features": 64, "kind": "maps", "can": ["invert", "auralise", "maximise"]} in detector[
        "layers"
    ]
    assert detector["layers"][-1] == {"name": "output", "features": 1, "kind": "output", "can": ["maximise"]}


@pytest.fixture(scope="module")
def grown(visitor):
    asked = {"listener": "detector", "layer": "conv5", "feature": 3, "steps": 8}
    return visitor.lines("/api/maximise", asked)


def test_a_unit_is_seen_to_grow(grown):
    assert [part["kind"] for part in grown][-1] == "end"
    steps = [part["step"] for part in grown]
    assert steps == sorted(steps)
    pictures = [part for part in grown if "picture" in part]
    assert [part["step"] for part in pictures] == [1, 2, 4, 8]
    assert pictures[-1]["activation"] > pictures[0]["activation"]
    assert {part["picture"]["mels"] for part in pictures} == {80}


def test_a_way_that_is_stopped_is_the_beginning_of_the_longer_one(visitor, grown):
    shorter = visitor.lines("/api/maximise", {"listener": "detector", "layer": "conv5", "feature": 3, "steps": 4})[-1]
    same = next(part for part in grown if "picture" in part and part["step"] == 4)
    assert shorter["activation"] == pytest.approx(same["activation"], rel=1e-3)


def test_what_cannot_grow_is_refused_in_words(visitor):
    for asked, word in (
        ({"listener": "detector", "layer": "nothing", "steps": 1}, "conv5"),
        ({"listener": "tagger", "layer": "output", "steps": 1}, "generator"),
    ):
        (part,) = visitor.lines("/api/maximise", asked)
        assert part["kind"] == "error"
        assert word in part["message"]
    assert visitor.post("/api/maximise", {"listener": "detector", "layer": "conv5", "steps": 2001}).status == 400


@pytest.fixture(scope="module")
def story(visitor, number, grown):
    why = visitor.post(f"/api/songs/{number}/explain", {"at_s": 4}).json
    asked = {
        "title": HOSTILE,
        "notes": f"two\nlines {HOSTILE}",
        "pins": [{"id": why["id"], "note": HOSTILE}],
        "kept": [{"sound": grown[-1]["sound"], "name": HOSTILE}],
    }
    answer = visitor.post("/api/story", asked)
    assert answer.status == 201, answer.body
    return answer.json["id"]


def test_a_story_is_one_page_that_needs_nothing_but_itself(visitor, story):
    answer = visitor.get(f"/api/story/{story}.html")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"].startswith("sandbox")
    page = answer.body.decode()
    addresses = re.findall(r"(?:src|href)=\"([^\"]{0,40})", page)
    assert addresses
    assert all(each.startswith(("data:", "#")) for each in addresses)
    assert page.count("<audio") == 6
    assert "url(" not in page


def test_what_its_finder_says_is_text(visitor, story):
    page = visitor.get(f"/api/story/{story}.html").body.decode()
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


def test_a_story_is_json_as_well(visitor, story, number):
    said = visitor.get(f"/api/story/{story}.json").json
    assert said["title"] == HOSTILE
    (moment,) = said["moments"]
    assert moment["note"] == HOSTILE
    assert moment["trust"]["relative_area"] > 0
    assert moment["headline"]
    assert moment["region"]["bits"]
    (unit,) = said["units"]
    assert unit["steps"] == 8


def test_what_is_not_kept_makes_no_story(visitor):
    assert visitor.post("/api/story", {"pins": [{"id": "x"}]}).status == 404
    assert visitor.post("/api/story", {"pins": "x"}).status == 400
    for name in ("x.html", "x.txt", "x"):
        assert visitor.get(f"/api/story/{name}").status == 404


def test_what_a_unit_wants_can_be_heard(visitor, grown):
    heard = soundfile.info(io.BytesIO(visitor.get(grown[-1]["sound"]).body))
    assert heard.duration == pytest.approx(1.675, abs=0.01)

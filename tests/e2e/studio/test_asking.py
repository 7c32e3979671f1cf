"""Why here: a click, a drag, keys and sliders, and what is drawn, told and played."""

from __future__ import annotations

import pytest
from phonoscope_client import demo
from selenium.webdriver.common.keys import Keys
from support.services.studio_page import StudioPage

pytestmark = pytest.mark.e2e
ASKED = "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/explain')).length"


def test_a_click_draws_the_region_and_tells_what_was_tried(page):
    page.heard()
    page.until(lambda: page.colours("spectrogram") > 100)
    why = page.ask_at(demo.AT_S)
    assert why["at_s"] == pytest.approx(demo.AT_S, abs=0.1)
    marks = page.run(
        "return ['studio:first-curve', 'studio:click', 'studio:region-drawn'].map("
        "(name) => performance.getEntriesByName(name).at(-1).startTime)"
    )
    assert marks == sorted(marks)
    teal = "return arguments[0].getContext('2d').getImageData(0, 0, arguments[0].width, arguments[0].height).data"
    found = f"{teal}.some((_, at, of) => at % 4 === 0 && of[at] === 95 && of[at + 1] === 240 && of[at + 2] === 220)"
    assert page.run(found, page.one("#evidence canvas"))
    assert why["label"] in page.text(".answer")
    assert page.text(".headline") == why["words"]["headline"]
    assert len(page.all("#evidence .bars tbody tr")) >= 5
    assert [each.text for each in page.all(".findings li")] == [each["text"] for each in why["words"]["sentences"]]
    assert why["words"]["headline"] in page.one("#said").get_attribute("textContent")


def test_what_was_answered_alike_is_listed_once_the_region_is_drawn(page):
    page.ask_at(demo.AT_S)
    page.until(lambda: page.all("#nearest li"))
    rows = [each.text for each in page.all("#nearest li")]
    distances = [float(row.rpartition(" ")[2]) for row in rows]
    assert distances == sorted(distances)
    assert all("rendered" in row for row in rows)


def test_its_sounds_play_one_at_a_time_by_key(page):
    page.ask_at(demo.AT_S)
    for number, name in enumerate(("Original", "Region", "Removed"), start=1):
        page.press(str(number))
        chosen = page.all("#verdict .sound")[number - 1]
        assert chosen.text.startswith(name)
        page.until(lambda chosen=chosen: chosen.get_attribute("aria-pressed") == "true")
        playing = "return [...document.querySelectorAll('audio')].filter((each) => !each.paused).length"
        assert page.run(playing) <= 1


def test_alpha_answers_while_it_is_moved_and_asks_when_it_is_let_go(page):
    page.ask_at(demo.AT_S)
    asked, area = page.run(ASKED), page.text("#area")
    page.slide("#alpha", 0.9, let_go=False)
    assert page.text("#area") != area
    assert page.run(ASKED) == asked
    page.slide("#alpha", 0.9)
    page.until(lambda: page.explanation()["alpha"] == pytest.approx(0.9))
    page.until(lambda: "alpha" not in page.text("#area"))
    page.press("z")
    assert page.explanation()["alpha"] != pytest.approx(0.9)
    assert page.text("#area") == area


def test_another_rule_is_asked_and_undone_and_done_again(page):
    first = page.ask_at(demo.AT_S)
    page.slide("#rule", 1)
    page.until(lambda: page.explanation()["rule"] == "gradient")
    assert page.text("#rule-name") == "gradient"
    page.press("z")
    assert page.explanation()["id"] == first["id"]
    page.chord(Keys.SHIFT, "z")
    assert page.explanation()["rule"] == "gradient"


def test_a_dragged_passage_is_asked_about(page):
    page.heard().drag(".area.spectrogram", 34, 38)
    page.until(lambda: page.explanation() is not None)
    begin, end = page.explanation()["passage"]
    assert (begin, end) == pytest.approx((34, 38), abs=0.3)
    assert page.text(".answer").startswith("Of 0:3")


def test_moments_are_pinned_and_two_compared(page):
    page.heard()
    for second in (12, demo.AT_S):
        page.ask_at(second)
        page.press("p")
    assert [each.text for each in page.all(".mark")] == ["1", "2"]
    page.panel("pins")
    cards = [page.one(f"#{side}-card") for side in ("left", "right")]
    page.until(lambda: all(page.run("return arguments[0].querySelector('canvas').width", each) > 100 for each in cards))
    assert "0:12" in cards[0].text
    assert "0:36" in cards[1].text
    note = page.one("#pin-list input")
    note.send_keys("listen here", Keys.TAB)
    page.press(Keys.ESCAPE)
    page.click("#pin-list li:nth-child(2) .plain:last-child")
    assert len(page.all(".mark")) == 1
    page.click("[data-do=undo]")
    assert len(page.all(".mark")) == 2
    assert page.one("#pin-list input").get_property("value") == "listen here"
    page.click(".mark")
    assert page.answered()["at_s"] == pytest.approx(12, abs=0.1)


def test_an_address_names_the_moment(browser, studio, page):
    page.ask_at(demo.AT_S)
    moment = page.run("return location.hash")
    assert "t=36" in moment
    again = StudioPage(browser, studio, moment=moment)
    assert again.answered()["at_s"] == pytest.approx(demo.AT_S, abs=0.1)
    begin, end = again.view_s()
    assert begin < demo.AT_S < end < begin + 20


def test_enter_asks_at_the_head_and_escape_gives_up(page):
    page.heard().press(Keys.HOME, "l", Keys.ENTER)
    page.until(lambda: page.explanation() is not None)
    assert page.explanation()["at_s"] == pytest.approx(5, abs=0.05)
    page.press("l", Keys.ENTER, Keys.ESCAPE)
    assert page.answered()["at_s"] == pytest.approx(5, abs=0.05)
    assert page.all(".message") == []


def test_another_listener_is_asked_about_one_label_rather_than_another(page):
    page.heard()
    page.run("arguments[0].value = 'tagger'; arguments[0].dispatchEvent(new Event('change'))", page.one("#listener"))
    page.until(lambda: page.one("#contrast-choice").is_displayed())
    labels = [each.get_property("value") for each in page.all("#label option")][1:]
    for select, label in (("#label", labels[0]), ("#contrast", labels[1])):
        page.run(f"arguments[0].value = '{label}'; arguments[0].dispatchEvent(new Event('change'))", page.one(select))
    why = page.ask_at(demo.AT_S)
    assert (why["listener"], why["label"], why["contrast"]) == ("tagger", labels[0], labels[1])
    page.until(lambda: f"rather than {labels[1]}" in page.text(".answer"))
    assert "as the tagger hears it" in page.text("#why")
    assert [each.text for each in page.all("#hues span")] == labels

"""The studio for whoever looks, listens, points or types: both themes, two widths, every panel."""

from __future__ import annotations

from pathlib import Path

import axe_core_python
import pytest
from phonoscope_client import demo
from selenium.webdriver.common.keys import Keys
from support.services.studio_page import PANELS, StudioPage

pytestmark = pytest.mark.e2e
AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
RUN_AXE = "axe.run(document).then(arguments[0], (error) => arguments[0]({violations: [String(error)], passes: []}))"
SIDEWAYS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(
    params=[(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")], ids=lambda each: f"{each[0]}-{each[1]}"
)
def any_page(browser, studio, request):
    width, scheme = request.param
    opened = StudioPage(browser, studio, width=width, scheme=scheme).heard()
    opened.ask_at(demo.AT_S)
    opened.press("p")
    yield opened
    complaints = opened.complaints()
    opened.leave()
    assert complaints == []


def test_nothing_keeps_anybody_out_and_nothing_is_scrolled_sideways(any_page):
    """axe-core finds no contrast that is too low, no control without a name, nothing that keys do not reach."""
    any_page.run(AXE.read_text())
    found = {}
    for panel in PANELS:
        any_page.panel(panel)
        assert any_page.run(SIDEWAYS) <= 0, panel
        told = any_page.browser.execute_async_script(RUN_AXE)
        assert len(told["passes"]) > 10, told["violations"]
        found |= {(panel, each["id"]): [node["html"] for node in each["nodes"]] for each in told["violations"]}
    assert found == {}


def test_the_theme_can_be_chosen(page):
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(paper)
    page.press("t", "t")
    assert page.one("html").get_attribute("data-theme") == "dark"
    assert page.run(paper) != light
    page.press("t")
    assert page.run(paper) == light


def test_keys_are_told_and_reach_every_panel(page):
    page.press("?")
    assert page.one("#keys").is_displayed()
    assert "play and pause" in page.text("#keys")
    page.press(Keys.ESCAPE)
    assert not page.one("#keys").is_displayed()
    for name in (*PANELS[1:], PANELS[0]):
        page.press(".")
        assert page.one(f"#{name}").is_displayed()
    page.press(",", Keys.HOME)
    assert page.one("#why").is_displayed()
    page.press(Keys.ARROW_RIGHT)
    assert page.one("#pins").is_displayed()


def test_what_is_written_is_not_taken_for_keys(page):
    page.heard().panel("story")
    notes = page.one("#story-notes")
    notes.send_keys("kjl p?")
    assert notes.get_property("value") == "kjl p?"
    assert page.head_s() == 0
    assert not page.one("#keys").is_displayed()


def test_a_finger_taps_to_ask_and_drags_to_scroll(page):
    page.resize(360, 1400)
    page.heard().click("[data-do=closer]")
    before = page.view_s()
    with page.fingers() as touch:
        touch(*range(60, -61, -15))
        page.until(lambda: page.view_s()[0] > before[0])
        assert page.explanation() is None
        seen = [before]  # a tap on what still glides on stops it, and no more
        page.until(lambda: seen.append(page.view_s()) or seen[-5:] == 5 * seen[-1:])
        touch(0)
        page.until(lambda: page.explanation() is not None)
    begin, end = page.view_s()
    assert begin < page.explanation()["at_s"] < end

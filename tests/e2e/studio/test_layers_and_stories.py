"""Layers inverted, features heard, a unit that grows, and the story that holds what was found."""

from __future__ import annotations

import json

import pytest
from phonoscope_client import demo

pytestmark = pytest.mark.e2e
FETCH = """
const [address, done] = arguments;
fetch(address).then(async (answer) => done([answer.status, await answer.text()]), (error) => done([0, String(error)]));
"""


def test_every_layer_is_shown_beside_the_input(page):
    page.ask_at(demo.AT_S)
    page.panel("layers")
    page.click("[data-do=invert]")
    page.until(lambda: len(page.all("#layer-grid li")) > 1)
    names = [each.text for each in page.all("#layer-grid h3")]
    assert names == ["Input", "conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8"]
    assert len(page.all("#layer-grid canvas")) == len(names)
    player = page.all("#layer-grid .sound")[-1]
    player.click()
    page.until(lambda: player.get_attribute("aria-pressed") == "true")
    assert "0:36" in page.text("#layers-told")


def test_features_are_heard_strongest_first(page):
    page.ask_at(demo.AT_S)
    page.panel("features")
    page.click("[data-do=auralise]")
    page.until(lambda: len(page.all("#feature-grid li")) == 8)
    activations = [float(each.text.split()[-1]) for each in page.all("#feature-grid p")]
    assert activations == sorted(activations, reverse=True)
    player = page.one("#feature-grid .sound")
    player.click()
    page.until(lambda: player.get_attribute("aria-pressed") == "true")
    page.click("#feature-grid [aria-label^=Maximise]")
    assert page.one("#maximise").is_displayed()
    assert page.one("#unit-layer").get_property("value") == "conv5"


def test_a_unit_grows_is_stopped_and_kept(page):
    page.panel("maximise")
    page.run("arguments[0].value = 800", page.one("#unit-steps"))
    page.click("[data-do=maximise]")
    page.until(lambda: "step" in page.text("#maximise-told"))
    page.until(lambda: page.one("[data-do=keep]").is_enabled())
    page.click("[data-do=stop]")
    page.until(lambda: page.text("#maximise-told").startswith("Stopped"))
    page.click("[data-do=keep]")
    assert len(page.all("#kept-grid canvas")) == 1
    page.press("z")
    assert not page.one("#kept").is_displayed()


def test_a_story_is_saved_as_a_page_and_as_data(page):
    page.ask_at(demo.AT_S)
    page.press("p")
    page.panel("story")
    page.one("#story-title").send_keys("Why <b>here</b>?")
    page.one("#story-notes").send_keys("Because & so.")
    page.click("[data-do=save]")
    page.until(lambda: len(page.all("#saved a")) == 2)
    html, data = (page.browser.execute_async_script(FETCH, each.get_property("href")) for each in page.all("#saved a"))
    assert (html[0], data[0]) == (200, 200)
    assert "Why &lt;b&gt;here&lt;/b&gt;?" in html[1]
    told = json.loads(data[1])
    assert (told["title"], told["notes"]) == ("Why <b>here</b>?", "Because & so.")
    assert len(told["moments"]) == 1


def test_a_link_to_the_moment_is_offered(page):
    page.ask_at(demo.AT_S)
    page.panel("story")
    page.click("[data-do=link]")
    assert "token" not in page.one("#link").get_property("value")
    assert "t=36" in page.one("#link").get_property("value")

"""The report as a person sees it: in a real Chromium, wide and narrow, light and dark."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.e2e


@pytest.fixture(params=[1200, 400], ids=["wide", "narrow"])
def page(browser, demo_folder, request):
    browser.set_window_size(request.param, 1600)
    browser.get((demo_folder / "report.html").as_uri())
    return browser


def test_every_picture_is_drawn_and_described(page):
    pictures = page.find_elements(By.TAG_NAME, "img")
    assert all(int(picture.get_property("naturalWidth")) > 0 for picture in pictures)
    figures = page.find_elements(By.CSS_SELECTOR, "[role=img]")
    assert len(figures) >= 3
    assert all(len(figure.get_attribute("aria-label")) > 30 for figure in figures)


def test_nothing_has_to_be_scrolled_sideways(page):
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(width) <= 0


def test_original_explanation_and_exchange_can_be_played(page, demo_folder):
    players = page.find_elements(By.TAG_NAME, "audio")
    evidence = json.loads((demo_folder / "summary.json").read_text())["trust"]["evidence"]
    assert len(players) == (2 if evidence == "mean-fill" else 4)
    for player in players:
        WebDriverWait(page, 120).until(lambda _, player=player: float(player.get_property("readyState")) >= 1)
        assert float(player.get_property("duration")) == pytest.approx(36934 / 22050, abs=0.01)


def test_the_browser_complains_of_nothing(page):
    assert [entry for entry in page.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []


def test_the_reader_is_told_the_answer_the_region_and_the_evidence(page):
    text = page.find_element(By.TAG_NAME, "body").text
    for part in ("vocal", "region", "masked", "Random region", "alpha", "Hz"):
        assert part in text

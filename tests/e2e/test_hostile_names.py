"""A file, layer or label that is called like markup, in a real Chromium: shown as text, in every page."""

from __future__ import annotations

import pytest
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait
from support.services.hostile_pages import ESCAPED, NAME, hostile_pages

pytestmark = pytest.mark.e2e
PAGES = ("explanation", "curve", "inversion", "auralisation", "track", "story", "maximisation")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    found = {}
    for name, text in hostile_pages(folder).items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_name_that_is_markup_is_shown_as_text(browser, pages, name):
    browser.get(pages[name].as_uri())
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert
    assert NAME in browser.title
    assert NAME in browser.find_element(By.TAG_NAME, "h1").text
    assert NAME in browser.find_element(By.CSS_SELECTOR, ".facts").text
    assert browser.find_elements(By.CSS_SELECTOR, "[onerror], img[src=x]") == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []


@pytest.mark.parametrize("name", PAGES[:-2])  # a story tells it with each moment
def test_what_is_wrong_with_a_recording_is_told_as_text_where_it_is_seen_first(browser, pages, name):
    browser.get(pages[name].as_uri())
    told = browser.find_element(By.CSS_SELECTOR, "header .warnings")
    assert told.is_displayed()
    assert NAME in told.text


@pytest.mark.parametrize("name", ["inversion", "auralisation"])
def test_layers_features_and_labels_are_text_where_they_are_listed(browser, pages, name):
    browser.get(pages[name].as_uri())
    assert NAME in [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".layer h3")]
    assert NAME in [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".bars th")]
    described = [each.get_attribute("aria-label") for each in browser.find_elements(By.CSS_SELECTOR, "[role=img]")]
    assert any(NAME in description for description in described)


def test_segments_and_explanations_are_text_where_they_are_listed(browser, pages):
    browser.get(pages["track"].as_uri())
    for place in (".passages button", ".moments button", ".chosen h3", ".readout"):
        assert NAME in browser.find_element(By.CSS_SELECTOR, place).text


def test_this_browser_would_have_run_it(browser, pages, tmp_path):
    """What the tests above rest on: unescaped, the same name raises an alert here."""
    escaped = pages["curve"].read_text(encoding="utf-8")
    unescaped = tmp_path / "unescaped.html"
    unescaped.write_text(escaped.replace(f"<h1>{ESCAPED}", f"<h1>{NAME}"), encoding="utf-8")
    browser.get(unescaped.as_uri())
    WebDriverWait(browser, 120).until(expected_conditions.alert_is_present()).accept()
    assert browser.find_elements(By.CSS_SELECTOR, "[onerror]")
    browser.get_log("browser")  # what it complains of is no other test's

"""What layers keep, as a person sees and hears it: in a real Chromium, wide and narrow."""

from __future__ import annotations

import subprocess

import pytest
from phonoscope_client import demo
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.e2e
LAYERS = ["conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8"]


@pytest.fixture(scope="module")
def report(service, tmp_path_factory):
    out = tmp_path_factory.mktemp("layers")
    command = ["phonoscope", "invert", str(demo.SONG), "--at", str(demo.AT_S), "--out", str(out), "--timeout-s", "600"]
    done = subprocess.run([*command, "--server", service.address], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"open {out / 'layers.html'}\n")
    return out / "layers.html"


@pytest.fixture(params=[1200, 400], ids=["wide", "narrow"])
def page(browser, report, request):
    browser.set_window_size(request.param, 1600)
    browser.get(report.as_uri())
    return browser


def cells(page):
    return page.find_elements(By.CSS_SELECTOR, ".layer")


def test_the_excerpt_comes_first_and_every_layer_follows_with_picture_and_error(page):
    assert [cell.find_element(By.TAG_NAME, "h3").text for cell in cells(page)] == ["Excerpt", *LAYERS]
    for cell in cells(page):
        assert int(cell.find_element(By.TAG_NAME, "img").get_property("naturalWidth")) == 115
        assert len(cell.find_element(By.CSS_SELECTOR, "[role=img]").get_attribute("aria-label")) > 30
        for part in ("kHz", "Hz", "seconds"):
            assert part in cell.text
    assert all("error" in cell.text and "validation excerpts" in cell.text for cell in cells(page)[1:])


def test_every_layer_can_be_heard(page):
    players = page.find_elements(By.TAG_NAME, "audio")
    assert len(players) == 2 + len(LAYERS)  # the excerpt as it is, and from its log-mel
    for player in players:
        WebDriverWait(page, 120).until(lambda _, player=player: float(player.get_property("readyState")) >= 1)
        assert float(player.get_property("duration")) == pytest.approx(36934 / 22050, abs=0.01)


def test_a_click_on_a_picture_moves_the_sound_of_its_own_layer(page):
    cell = cells(page)[3]
    picture, player = cell.find_element(By.CSS_SELECTOR, ".area"), cell.find_element(By.TAG_NAME, "audio")
    WebDriverWait(page, 120).until(lambda _: float(player.get_property("readyState")) >= 1)
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
    picture.click()  # in its middle
    WebDriverWait(page, 120).until(lambda _: float(player.get_property("currentTime")) > 0.1)
    assert float(player.get_property("currentTime")) == pytest.approx(115 / 70 / 2, abs=0.03)
    others = [each for each in page.find_elements(By.TAG_NAME, "audio") if each != player]
    assert all(float(other.get_property("currentTime")) == 0 for other in others)


def test_pictures_stand_side_by_side_where_there_is_room_and_never_overflow(page):
    rows = {cell.location["y"] for cell in cells(page)}
    assert len(rows) == (3 if page.get_window_size()["width"] == 1200 else 9)
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(width) <= 0


def test_the_browser_complains_of_nothing(page):
    assert [entry for entry in page.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []

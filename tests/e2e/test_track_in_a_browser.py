"""A whole track as a person sees, hears and walks through it: in a real Chromium, wide and narrow, light and dark."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import axe_core_python
import numpy as np
import pytest
from phonoscope_client import demo
from phonoscope_client.results.parts import wav
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.e2e
EVERY_S = 6
AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
# Of a canvas: how many colours it shows.
COLOURS = """
const { width, height } = arguments[0];
const pixels = new Uint32Array(arguments[0].getContext("2d").getImageData(0, 0, width, height).data.buffer);
return new Set(pixels).size;
"""


def explained(song, out, service, *arguments):
    command = ["phonoscope", "track", str(song), "--out", str(out), "--timeout-s", "600", *arguments]
    done = subprocess.run([*command, "--server", service.address], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"open {out / 'track.html'}\n")
    return out / "track.html"


@pytest.fixture(scope="module")
def report(service, tmp_path_factory):
    return explained(demo.SONG, tmp_path_factory.mktemp("track"), service, "--where", f"every:{EVERY_S}s")


@pytest.fixture(scope="module")
def said(report):
    return json.loads((report.parent / "track.json").read_text())


def opened(browser, report, width, scheme):
    browser.set_window_size(width, 1600)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(report.as_uri())
    WebDriverWait(browser, 120).until(lambda page: ready(page, ".players audio"))
    return browser


@pytest.fixture(
    params=[(1200, "light"), (1200, "dark"), (400, "light"), (400, "dark")], ids=lambda each: f"{each[0]}-{each[1]}"
)
def any_page(browser, report, request):
    yield opened(browser, report, *request.param)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.fixture
def page(browser, report):
    return opened(browser, report, 1200, "light")


def one(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def ready(page, selector):
    return float(one(page, selector).get_property("readyState")) >= 1


def head_s(page):
    return float(one(page, "input.head").get_property("value"))


def press(page, *keys):
    one(page, "input.head").send_keys(*keys)


def view(page):
    return page.execute_script("return [view.from, view.to]")


def click_at(page, draws, second):
    """Clicks where a second is drawn."""
    area = page.execute_script("return arguments[0].closest('.area')", one(page, f"canvas[data-draws={draws}]"))
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", area)
    begin, end = view(page)
    across = (second - begin) / (end - begin)
    down = 6 if draws == "waveform" else area.size["height"] / 2
    page.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true,"
        "clientX: box.left + arguments[1] * box.width, clientY: box.top + arguments[2]}))",
        area,
        across,
        down,
    )


def test_everything_is_drawn_and_described(any_page):
    for name, least in (("waveform", 3), ("spectrogram", 50), ("curve", 4)):
        assert any_page.execute_script(COLOURS, one(any_page, f"canvas[data-draws={name}]")) >= least
    described = [each.get_attribute("aria-label") for each in any_page.find_elements(By.CSS_SELECTOR, "[role=img]")]
    assert len(described) >= 4
    assert all(len(each) > 30 for each in described)
    for part in ("Hz", "kHz", "minutes and seconds", "0:30"):
        assert part in one(any_page, ".stack").text


def test_nothing_has_to_be_scrolled_sideways(any_page):
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert any_page.execute_script(width) <= 0


def test_the_browser_complains_of_nothing(any_page):
    press(any_page, "n", Keys.ARROW_RIGHT, "+", "0")
    assert [entry for entry in any_page.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []


def test_nothing_keeps_anybody_out(any_page):
    """axe-core finds no contrast that is too low, no control without a name, nothing that keys do not reach."""
    any_page.execute_script(AXE.read_text())
    found = any_page.execute_async_script(
        "axe.run(document).then(arguments[0], (error) => arguments[0]({violations: [String(error)]}))"
    )
    assert [
        each if isinstance(each, str) else (each["id"], [n["html"] for n in each["nodes"]])
        for each in found["violations"]
    ] == []
    assert len(found["passes"]) > 10


def test_a_click_moves_the_head_to_where_it_is(page):
    for draws in ("spectrogram", "curve"):
        click_at(page, draws, 20)
        assert head_s(page) == pytest.approx(20, abs=0.1)
        click_at(page, draws, 33)
        assert head_s(page) == pytest.approx(33, abs=0.1)
    recording = one(page, ".players audio")
    WebDriverWait(page, 120).until(lambda _: float(recording.get_property("currentTime")) == pytest.approx(33, abs=0.1))
    assert "0:33.0" in one(page, ".readout").text
    assert "0:33.0" in one(page, "input.head").get_attribute("aria-valuetext")


def test_keys_move_the_head_and_what_is_in_view(page, said):
    press(page, Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert head_s(page) == pytest.approx(2, abs=0.01)
    press(page, Keys.PAGE_DOWN, Keys.ARROW_LEFT)
    assert head_s(page) == pytest.approx(11, abs=0.01)
    press(page, "+", "+")
    begin, end = view(page)
    assert end - begin == pytest.approx(len(said["probability"]) / 70 / 4, rel=0.01)
    assert begin < 11 < end
    press(page, Keys.END)
    assert head_s(page) == pytest.approx(len(said["probability"]) / 70, abs=0.02)
    assert view(page)[1] == pytest.approx(head_s(page), abs=0.02)
    press(page, "0")
    assert view(page)[0] == 0
    press(page, Keys.HOME, "n", "n")
    assert head_s(page) == pytest.approx(2 * EVERY_S, abs=0.02)
    press(page, "p")
    assert head_s(page) == pytest.approx(EVERY_S, abs=0.02)


def test_a_mark_and_a_button_choose_an_explanation_and_say_what_came_of_it(page, said):
    explanations = said["explanations"]
    click_at(page, "waveform", explanations[3]["at_s"])
    assert one(page, ".chosen h3").text.startswith(f"0:{3 * EVERY_S}.0: {explanations[3]['label']}")
    buttons = page.find_elements(By.CSS_SELECTOR, ".moments [data-explanation='2']")
    buttons[0].click()
    assert one(page, ".chosen h3").text.startswith(f"0:{2 * EVERY_S}.0: {explanations[2]['label']}")
    assert all(each.get_attribute("aria-current") == "true" for each in buttons)
    assert len(page.find_elements(By.CSS_SELECTOR, ".findings li")) >= 4
    held = {True: "holds", False: "does not hold"}[explanations[2]["trust"]["holds"]]
    expected = "doubtful answer" if explanations[2]["trust"]["out_of_distribution"] else held
    assert one(page, ".chosen h3 .badge").text.endswith(expected)


def test_an_address_may_say_where_to_begin(browser, report, said):
    for second, expected in ((2 * EVERY_S + 0.3, 2 * EVERY_S), (2.5 * EVERY_S, 2.5 * EVERY_S)):
        browser.get("about:blank")
        browser.get(f"{report.as_uri()}#t={second}")
        assert head_s(browser) == pytest.approx(expected, abs=0.02)


def test_the_recording_plays_and_the_head_goes_along(page, said):
    recording = one(page, ".players audio")
    assert float(recording.get_property("duration")) == pytest.approx(len(said["probability"]) / 70, abs=0.1)
    press(page, Keys.HOME)
    one(page, "[data-do=play]").click()
    WebDriverWait(page, 120).until(lambda _: head_s(page) > 0.3)
    assert one(page, "[data-do=play]").text == "Pause"
    press(page, Keys.SPACE)
    WebDriverWait(page, 120).until(lambda _: recording.get_property("paused"))
    assert one(page, "[data-do=play]").text == "Play"


def test_excerpt_region_and_removed_can_be_heard_one_at_a_time(page, said):
    press(page, Keys.HOME, "n", "n")
    players = page.find_elements(By.CSS_SELECTOR, "audio[data-sound]")
    assert [each.get_attribute("data-sound") for each in players] == ["excerpt", "region", "removed"]
    for number, player in enumerate(players, start=1):
        WebDriverWait(page, 120).until(lambda _, player=player: float(player.get_property("readyState")) >= 1)
        assert float(player.get_property("duration")) == pytest.approx(36934 / 22050, abs=0.03)
        press(page, str(number))
        WebDriverWait(page, 120).until(lambda _, player=player: float(player.get_property("currentTime")) > 0.1)
        others = [each for each in page.find_elements(By.TAG_NAME, "audio") if each != player]
        assert all(other.get_property("paused") for other in others)
        start_s = said["explanations"][2]["at_s"] - 57 / 70
        assert start_s < head_s(page) < start_s + 1.7


def test_choosing_a_segment_plays_from_its_beginning(page, said):
    second = said["segments"][1]
    page.find_elements(By.CSS_SELECTOR, ".passages button")[1].click()
    WebDriverWait(page, 120).until(lambda _: head_s(page) > second["start_s"] + 0.1)
    assert head_s(page) < second["start_s"] + 60
    press(page, Keys.SPACE)


def test_four_minutes_are_less_than_eight_megabytes(service, tmp_path):
    noise = np.random.default_rng(5).normal(0, 0.05, 240 * 22050)
    time_s = np.arange(len(noise)) / 22050
    sound = noise + 0.3 * np.sin(2 * np.pi * 220 * time_s + 4 * np.sin(2 * np.pi * 5.5 * time_s))
    (tmp_path / "song.wav").write_bytes(wav(sound.astype(np.float32), 22050))
    report = explained(tmp_path / "song.wav", tmp_path / "out", service, "--where", "every:10s")
    assert report.stat().st_size < 8e6


def test_of_another_listener_it_speaks_of_the_labels_of_that(browser, service, tmp_path):
    asked = ["--listener", "tagger", "--where", "every:12s", "--where", "changes", "--trust", "kept"]
    report = explained(demo.SONG, tmp_path, service, *asked)
    said, page = json.loads((tmp_path / "track.json").read_text()), opened(browser, report, 1200, "dark")
    for name, least in (("waveform", 3), ("spectrogram", 50), ("curve", 4)):
        assert page.execute_script(COLOURS, one(page, f"canvas[data-draws={name}]")) >= least
    press(page, "n")
    segment = next(each for each in said["segments"] if each["start_s"] <= head_s(page) < each["end_s"])
    assert f"{segment['label']}, probability of {said['label']}" in one(page, ".readout").text
    assert one(page, ".chosen h3").text.split()[1] in {"ballad,", "dance,", "hiphop,"}
    assert "singing" not in one(page, "body").text
    assert [entry for entry in page.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []

"""A song in the studio: seen, played, repeated, dropped; by mouse and by keys."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_client import demo
from phonoscope_client.results.parts import wav
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.e2e
# Of so many columns of a canvas, from left to right, the brightest row of each; of a copy, which may be read often.
LOUDEST_ROWS = """
const [canvas, columns] = arguments;
const copy = new OffscreenCanvas(columns, canvas.height).getContext("2d", { willReadFrequently: true });
for (let x = 0; x < columns; x++)
  copy.drawImage(canvas, ((x + 0.5) * canvas.width) / columns, 0, 1, canvas.height, x, 0, 1, canvas.height);
return Array.from({ length: columns }, (_, x) => {
  const pixels = copy.getImageData(x, 0, 1, canvas.height).data;
  const light = Array.from({ length: canvas.height }, (_, y) => pixels[4 * y] + pixels[4 * y + 1] + pixels[4 * y + 2]);
  return light.indexOf(Math.max(...light));
});
"""
HOSTILE = "<img src=x onerror=alert(1)>.wav"


@pytest.fixture
def tone(tmp_path):
    """A song of three seconds that is called like markup."""
    time_s = np.arange(3 * 22050) / 22050
    path = tmp_path / HOSTILE
    path.write_bytes(wav((0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32), 22050))
    return path


def test_waveform_spectrogram_curve_and_segments_are_drawn(page):
    page.heard()
    assert page.text("h1") == demo.SONG.name
    page.until(lambda: page.colours("spectrogram") > 100)
    assert page.colours("curve") > 4
    segments = page.run("return import('/page/track.js').then(({ track }) => track.segments)")
    assert {each["label"] for each in segments} == {"vocal", "instrumental"}
    assert [each.text for each in page.all(".rows span")][:2] == ["100 Hz", "200 Hz"]


def test_the_song_plays_and_the_head_goes_along(page):
    page.heard().press(" ")
    page.until(lambda: page.head_s() > 0.3)
    assert page.text("[data-do=play]") == "Pause"
    page.press("k")
    page.until(lambda: page.text("[data-do=play]") == "Play")
    assert page.run("return document.querySelector('#recording').paused")


def test_a_click_on_the_waveform_and_keys_move_the_head(page):
    page.heard().press(Keys.HOME, Keys.ARROW_RIGHT, "l")
    assert page.head_s() == pytest.approx(6, abs=0.01)
    page.press("j", Keys.ARROW_RIGHT)
    assert page.head_s() == pytest.approx(2, abs=0.01)
    page.chord(Keys.SHIFT, Keys.ARROW_LEFT)
    assert page.head_s() == pytest.approx(1.9, abs=0.01)
    page.press(Keys.END)
    assert page.head_s() == pytest.approx(page.view_s()[1], abs=0.01)
    page.one(".area.waveform").click()
    assert page.head_s() == pytest.approx(sum(page.view_s()) / 2, abs=0.3)
    assert "probability" in page.one("input.position").get_attribute("aria-valuetext")


def test_a_passage_is_marked_by_keys_or_a_drag_and_repeated(page):
    page.heard().press(Keys.HOME, "l", "[", Keys.ARROW_RIGHT, "]")
    assert "0:05.0 – 0:06.0" in page.text(".passage")
    page.press("r", Keys.ARROW_LEFT, " ")
    assert page.one("[data-do=repeat]").get_attribute("aria-pressed") == "true"
    page.until(lambda: page.head_s() > 5.5)
    page.until(lambda: page.head_s() < 5.5)
    page.press(" ", Keys.ESCAPE)
    assert not page.one(".passage").is_displayed()
    page.drag(".area.waveform", 10, 20)
    begin, end = (float(each.partition(":")[2]) for each in page.text(".passage .text").split(" – "))
    assert (begin, end) == pytest.approx((10, 20), abs=0.3)


def test_zoom_keeps_the_head_in_view_and_bins_whole(page):
    page.heard().press(Keys.HOME, "l", "l")
    whole = page.view_s()
    page.press("+", "+", "+", "+")
    begin, end = page.view_s()
    assert end - begin < (whole[1] - whole[0]) / 8
    assert begin < 10 < end
    pixels = page.run("return import('/page/view.js').then(({ view }) => (view.pxPerS * view.ratio) / view.framesPerS)")
    assert pixels == round(pixels)
    page.press(Keys.PAGE_DOWN)
    page.until(lambda: page.view_s()[0] > begin)
    page.press("0")
    page.until(lambda: page.view_s() == whole)


def test_a_song_is_dropped_and_its_name_is_text(page, tone):
    page.one("#files").send_keys(str(tone))
    page.until(lambda: page.text("h1") == HOSTILE)
    page.heard()
    assert HOSTILE in page.browser.title
    assert page.all("[onerror], img") == []
    assert page.ask_at(1.5)["label"] in {"vocal", "instrumental"}
    page.press("p")
    assert HOSTILE in page.panel("pins").text


def test_all_of_a_long_song_is_seen_at_once(page, tmp_path):
    length_s = 600
    steps = np.repeat(np.geomspace(100, 4000, length_s), 8000)
    path = tmp_path / "long.wav"
    path.write_bytes(wav((0.3 * np.sin(2 * np.pi * np.cumsum(steps) / 8000)).astype(np.float32), 8000))
    page.one("#files").send_keys(str(path))
    page.until(lambda: page.text("h1") == path.name)
    page.heard()
    assert page.view_s() == pytest.approx([0, length_s], abs=0.1)

    def rises_to_the_end():
        rows = page.run(LOUDEST_ROWS, page.one("canvas[data-draws=spectrogram]"), 60)
        return all(np.diff(rows) <= 0) and rows[0] > 2 * rows[-1] > 0

    page.until(rises_to_the_end)


def test_a_file_that_is_no_sound_is_told_in_words(page, tmp_path):
    (tmp_path / "song.mp3").write_bytes(b"no sound at all" * 100)
    page.one("#files").send_keys(str(tmp_path / "song.mp3"))
    page.until(lambda: page.all(".message"))
    assert page.text(".message").startswith("song.mp3: ")
    assert len(page.text(".message p")) > 30
    page.click(".message button")
    assert page.all(".message") == []
    assert page.text("h1") == demo.SONG.name
    assert all("400" in each["message"] for each in page.complaints()), "the refusal itself, as browsers log it"

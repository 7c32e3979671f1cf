"""Files that are dragged onto the page from outside the browser, and more of them than a studio holds."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_client.results.parts import wav
from phonoscope_client.studio.shelf.songs import MOST_SONGS
from support.services.studio_page import StudioPage, running_studio

pytestmark = pytest.mark.e2e
IS_DROPPING = "return document.body.classList.contains('dropping')"
SONGS = "return import('/page/state.js').then(({ state }) => state.songs.map(({ name }) => name))"


@pytest.fixture
def song_files(tmp_path):
    """Makes songs of a second, each of a pitch of its own."""

    def make(count, first=0):
        time_s = np.arange(22050) / 22050
        paths = [tmp_path / f"tone {number}.wav" for number in range(first, first + count)]
        for number, path in enumerate(paths, start=first):
            path.write_bytes(wav((0.3 * np.sin(2 * np.pi * (200 + number) * time_s)).astype(np.float32), 22050))
        return paths

    return make


def drag(page, files, *kinds):
    """Drags files over the page's middle, as far as these kinds of events go."""
    held = {"items": [], "files": [str(each) for each in files], "dragOperationsMask": 1}
    for kind in kinds:
        page.browser.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": held})


def test_files_are_dropped_anywhere_and_the_first_is_opened(page, song_files):
    files = song_files(2)
    drag(page, files, "dragEnter", "dragOver")
    page.until(lambda: page.run(IS_DROPPING))
    drag(page, files, "drop")
    page.until(lambda: {each.name for each in files} <= set(page.run(SONGS)))
    page.heard()
    assert page.text("h1") == files[0].name
    assert not page.run(IS_DROPPING)
    assert page.all(".message") == []


def test_more_songs_than_a_studio_holds_are_each_refused_by_name(browser, service, song_files):
    with running_studio(*song_files(MOST_SONGS - 1), "--server", service.address) as address:
        page = StudioPage(browser, address).heard()
        more = song_files(3, first=MOST_SONGS)
        drag(page, more, "dragEnter", "dragOver", "drop")
        page.until(lambda: len(page.all(".message")) == len(more) - 1)
        assert len(page.run(SONGS)) == MOST_SONGS
        assert page.text("h1") == more[0].name
        for message, file in zip(page.all(".message"), more[1:], strict=True):
            assert message.text.startswith(f"{file.name}: ")
            assert f"{MOST_SONGS} songs" in message.text
            assert "start another" in message.text
        page.heard().leave()
        assert all("400" in each["message"] for each in page.complaints()), "the refusals, as browsers log them"

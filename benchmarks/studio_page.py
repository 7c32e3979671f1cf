"""The studio's page in a real, headless Chromium: dropped on, clicked and scrolled, and timed by its own marks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_core_python
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
HANG_S = 600  # what takes longer hangs
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required")
SERIOUS = {"serious", "critical"}
PANELS = ("why", "pins", "layers", "features", "maximise", "story")
# Milliseconds from when a file was chosen to when the first of its curve was drawn; then how far it was heard.
_WATCH_FILES = """
document.querySelector("#files").addEventListener("change", () => { window.choseAt = performance.now(); }, true);
"""
_DROPPED = """
const marks = performance.getEntriesByName("studio:first-curve").filter((mark) => mark.startTime > window.choseAt);
return marks.length ? marks[0].startTime - window.choseAt : null;
"""
# Milliseconds from the last click to when its region was drawn.
_CLICKED = """
const last = (name) => performance.getEntriesByName(name).at(-1)?.startTime ?? 0;
const took = last("studio:region-drawn") - last("studio:click");
return took > 0 && performance.getEntriesByName("studio:click").length === arguments[0] ? took : null;
"""
# Brings a second into view at full zoom, and clicks it as a mouse does: down, up.
_CLICK = """
const [second, done] = arguments;
import("/page/view.js").then(({ view, reveal }) => {
reveal(second, { centred: true });
requestAnimationFrame(() => requestAnimationFrame(() => {
  const area = document.querySelector(".area.spectrogram");
  const box = area.getBoundingClientRect();
  const at = { clientX: box.left + second * view.pxPerS - view.left, clientY: box.top + box.height / 2 };
  const event = { ...at, bubbles: true, pointerId: 1, pointerType: "mouse", button: 0, isPrimary: true };
  area.setPointerCapture = () => {};
  area.dispatchEvent(new PointerEvent("pointerdown", event));
  area.dispatchEvent(new PointerEvent("pointerup", event));
  done(true);
}));
});
"""
# Scrolls by a few pixels a frame; the frames' lengths in milliseconds.
_SCROLL = """
const [seconds, done] = arguments;
const scroller = document.querySelector(".scroller");
scroller.scrollLeft = 0;
const times = [];
const step = (now) => {
  times.push(now);
  scroller.scrollLeft += 12;
  if (now - times[0] < 1000 * seconds) requestAnimationFrame(step);
  else done(times.slice(1).map((each, at) => each - times[at]));
};
requestAnimationFrame(step);
"""
_BYTES = """
const [page] = performance.getEntriesByType("navigation");
const pathOf = (each) => new URL(each.name).pathname;
const files = performance.getEntriesByType("resource").filter((each) => pathOf(each).startsWith("/page/"));
return [page, ...files].map((each) => [pathOf(each), each.encodedBodySize]);
"""
_AXE = """
const [done] = arguments;
axe.run(document).then(done, (error) => done({ violations: [{ impact: "critical", id: String(error) }] }));
"""


@contextmanager
def studio(server: str) -> Iterator[str]:
    """A studio of that service, without songs; the address to open."""
    command = [sys.executable, "-m", "phonoscope_client.cli", "studio", "--no-browser", "--server", server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()
            process.wait()


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """A Chromium of one's own."""
    found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if None in found.values():
        raise SystemExit(
            "bench-studio needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)"
        )
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = str(found["chromium"])
        for flag in (*FLAGS, *QUIET, "--window-size=1280,1400", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(str(found["chromedriver"])))
        driver.set_script_timeout(HANG_S)
        try:
            yield driver
        finally:
            driver.quit()


class Page:
    """The page of one studio.

    Args:
        driver: opens it.
        address: of it, token and all.
    """

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self._driver, self._clicks = driver, 0
        driver.get(address)
        self._until("return document.documentElement.dataset.opened === 'true'")
        driver.execute_script(_WATCH_FILES)
        driver.execute_script(AXE.read_text())

    def drop(self, song: Path) -> float:
        """Chooses a file; seconds until the first of its curve is drawn."""
        self._driver.find_element(By.ID, "files").send_keys(str(song))
        return float(self._until(_DROPPED)) / 1e3

    def wait_until_heard(self) -> None:
        """Waits until all of the song was heard and the service is idle."""
        self._until("return import('/page/track.js').then(({ track }) => track.ended)")

    def click(self, second: float) -> float:
        """Clicks a moment of the spectrogram; seconds until its region is drawn."""
        self._driver.execute_async_script(_CLICK, second)
        self._clicks += 1
        return float(self._until(_CLICKED, self._clicks)) / 1e3

    def zoom_in(self, times: int) -> None:
        """Zooms in."""
        for _ in range(times):
            self._driver.find_element(By.CSS_SELECTOR, "[data-do=closer]").click()

    def frames_while_scrolling(self, seconds: float) -> list[float]:
        """Milliseconds of each frame while the spectrogram scrolls."""
        found: list[float] = self._driver.execute_async_script(_SCROLL, seconds)
        return found

    def files(self) -> dict[str, int]:
        """What was fetched to show the page, in bytes."""
        return {path: int(size) for path, size in self._driver.execute_script(_BYTES)}

    def violations(self) -> dict[str, list[str]]:
        """What axe-core finds serious, in either theme and with each panel open."""
        found: dict[str, list[str]] = {}
        for theme in ("light", "dark"):
            scheme = [{"name": "prefers-color-scheme", "value": theme}]
            self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
            for panel in PANELS:
                self._driver.find_element(By.ID, f"tab-{panel}").click()
                told: dict[str, Any] = self._driver.execute_async_script(_AXE)
                serious = [each["id"] for each in told["violations"] if each["impact"] in SERIOUS]
                if serious:
                    found[f"{panel}, {theme}"] = serious
        return found

    def _until(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the script returns
        return WebDriverWait(self._driver, HANG_S, poll_frequency=0.1).until(
            lambda driver: driver.execute_script(script, *arguments)
        )

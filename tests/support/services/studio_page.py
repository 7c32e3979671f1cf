"""A studio as a process, and its page as a person uses it: by mouse and by keys, in a real Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

HANG_S = 120
PANELS = ("why", "pins", "layers", "features", "maximise", "story")
HAS_WAVEFORM = "return Boolean(document.querySelector('.waveform > div')?.shadowRoot?.querySelector('canvas'))"
COLOURS = """
const { width, height } = arguments[0];
const pixels = new Uint32Array(arguments[0].getContext("2d").getImageData(0, 0, width, height).data.buffer);
return new Set(pixels).size;
"""


@contextmanager
def running_studio(*arguments):
    """The address of a studio, token and all, that ends with the block."""
    command = [sys.executable, "-m", "phonoscope_client.cli", "studio", "--no-browser", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield re.search(r"http://\S+", process.stdout.readline())[0]
        finally:
            process.terminate()
            process.communicate(timeout=HANG_S)


class StudioPage:
    """The page of a studio; what it is asked for is waited for, as far as `HANG_S`."""

    def __init__(self, browser, address, *, width=1280, height=1400, scheme="light", moment=""):
        self.browser = browser
        self.resize(width, height)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get("about:blank")  # so that an address that differs in its fragment alone is opened anew
        browser.get(address)
        browser.get_log("browser")
        if moment:
            browser.get("about:blank")
            browser.get(address.partition("?")[0] + moment)
        self.until(lambda: self.run("return document.documentElement.dataset.opened") == "true")

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def leave(self):
        self.browser.get("about:blank")
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, holds):
        return WebDriverWait(self.browser, HANG_S, 0.1, (StaleElementReferenceException,)).until(lambda _: holds())

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def click(self, selector):
        self.until(lambda: self.one(selector).is_enabled())
        self.one(selector).click()

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def chord(self, held, key):
        ActionChains(self.browser).key_down(held).send_keys(key).key_up(held).perform()

    def panel(self, name):
        self.click(f"#tab-{name}")
        return self.one(f"#{name}")

    def heard(self):
        """Waits until the whole song was heard, and its waveform is there."""
        self.until(lambda: self.run("return import('/page/track.js').then(({ track }) => track.ended)"))
        self.until(lambda: self.run(HAS_WAVEFORM))
        return self

    def head_s(self):
        return float(self.one("input.position").get_property("value"))

    def view_s(self):
        return self.run("return import('/page/view.js').then(({ span }) => span())")

    def colours(self, draws):
        return self.run(COLOURS, self.one(f"canvas[data-draws={draws}]"))

    def x_of(self, second):
        """Pixels from the middle of the track."""
        begin_s, end_s = self.view_s()
        return round(((second - begin_s) / (end_s - begin_s) - 0.5) * self.one(".area.spectrogram").size["width"])

    def ask_at(self, second):
        """Clicks a moment of the spectrogram, and waits for the answer."""
        area = self.one(".area.spectrogram")
        ActionChains(self.browser).move_to_element_with_offset(area, self.x_of(second), 0).click().perform()
        return self.answered()

    def drag(self, selector, begin_s, end_s):
        area = self.one(selector)
        begin, end = self.x_of(begin_s), self.x_of(end_s)
        mouse = ActionChains(self.browser).move_to_element_with_offset(area, begin, 0).click_and_hold()
        for step in ((end - begin) // 2, end - begin - (end - begin) // 2):
            mouse.move_by_offset(step, 0)
        mouse.release().perform()

    @contextmanager
    def fingers(self):
        """What puts a finger on the spectrogram and moves it through places, in pixels from its middle."""

        def send(kind, *places):
            points = [{"x": x + place, "y": y} for place in places]
            self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        def touch(first, *further):
            send("touchStart", first)
            for place in further:
                send("touchMove", place)
            send("touchEnd")

        box = self.run("return arguments[0].getBoundingClientRect().toJSON()", self.one(".area.spectrogram"))
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        yield touch
        self.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})

    def answered(self):
        """The explanation that is drawn, without its maps, once the question is answered."""
        self.until(lambda: self.one("#why").get_attribute("aria-busy") == "false")
        return self.explanation()

    def explanation(self):
        return self.run(
            "return import('/page/state.js').then(({ state }) => {"
            "if (!state.explanation) return null;"
            "const { region, relevance, picture, drawn, ...told } = state.explanation; return told; })"
        )

    def slide(self, selector, value, *, let_go=True):
        """Moves a slider as a hand does: it answers while it moves, and once it is let go."""
        for event in ("input", *(["change"] if let_go else [])):
            self.run(
                "const [slider, value, event] = arguments; slider.value = value;"
                "slider.dispatchEvent(new Event(event, { bubbles: true }));",
                self.one(selector),
                value,
                event,
            )

    def complaints(self):
        return [each for each in self.browser.get_log("browser") if each["level"] in {"SEVERE", "WARNING"}]

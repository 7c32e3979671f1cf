"""The real service, what the demo leaves, and a real browser, made once for all end-to-end tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from phonoscope_client import RunningService, running_service
from selenium import webdriver
from support.system_programs import program

ROOT = Path(__file__).parents[2]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required")


@pytest.fixture(scope="session")
def service() -> Iterator[RunningService]:
    with running_service(["--model-repository", str(ROOT / "model_repository")]) as started:
        yield started


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    command = ["phonoscope", "demo", "--out", str(out), "--timeout-s", "600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout, "the demo says what to open"
    return out


@pytest.fixture
def browser(chromium):
    """The one Chromium, on an empty page; what the last page complained of while it was left is no other test's."""
    yield chromium
    chromium.get("about:blank")
    chromium.get_log("browser")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium")
    for flag in (*FLAGS, *QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver", "chromium-driver")))
    yield driver
    driver.quit()

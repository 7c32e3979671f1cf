"""The real service, what the demo leaves, and a real browser, made once for all end-to-end tests."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver
from support.system_programs import program

ROOT = Path(__file__).parents[2]
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--autoplay-policy=no-user-gesture-required")


@dataclass(frozen=True)
class RunningService:
    address: str
    metrics_address: str


@pytest.fixture(scope="session")
def service(tmp_path_factory) -> Iterator[RunningService]:
    ready = tmp_path_factory.mktemp("service") / "ready.json"
    command = ["phonoscope-serve", "--model-repository", str(ROOT / "model_repository"), "--ready-file", str(ready)]
    command += ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, "the service ended before it was ready"
            assert time.monotonic() < deadline, "the service was not ready within a minute"
            time.sleep(0.05)
        yield RunningService(**json.loads(ready.read_text()))
        process.terminate()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    command = ["phonoscope", "demo", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout, "the demo says what to open"
    return out


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium")
    for flag in (*FLAGS, *QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver", "chromium-driver")))
    yield driver
    driver.quit()

"""The real service, and what the demo leaves, made once for all end-to-end tests."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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

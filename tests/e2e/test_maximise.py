"""`phonoscope maximise` against `phonoscope-serve`, as two processes."""

from __future__ import annotations

import json
import subprocess

import pytest
import soundfile
from phonoscope_client import Maximisation, running_service
from support.bundles.miniature_ascent import bundle_that_can_maximise

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = bundle_that_can_maximise(tmp_path_factory.mktemp("maximisation"))
    with running_service(["--model-repository", str(root), "--threads", "1"]) as service:
        yield service.address


@pytest.mark.parametrize("sign", ["max", "min"])
def test_what_is_wanted_can_be_looked_at_listened_to_and_read_by_programs(address, tmp_path, sign):
    command = ["phonoscope", "maximise", "--layer", "output", "--sign", sign, "--examples", "4", "--out", str(tmp_path)]
    command += ["--timeout-s", "600"]
    done = subprocess.run([*command, "--json", "--server", address], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    direction = 1 if sign == "max" else -1
    assert len(document["examples"]) == 4
    assert all(direction * (each["response"] - each["initial_response"]) > 0 for each in document["examples"])
    assert "response" in done.stderr  # progress
    page = (tmp_path / "maximised.html").read_text()
    assert page.count("<img") == page.count("<audio") == 8
    samples, rate_hz = soundfile.read(tmp_path / "example-1.wav")
    assert (len(samples), rate_hz) == (36934, 22050)
    kept = Maximisation.load(tmp_path / "maximised.npz")
    assert [each.response for each in kept.examples.values()] == [each["response"] for each in document["examples"]]


def test_a_unit_that_does_not_exist_is_named(address):
    command = ["phonoscope", "maximise", "--layer", "fc8:64", "--server", address]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "terms[0].channel: is 64; fc8 has 0 to 63" in done.stderr

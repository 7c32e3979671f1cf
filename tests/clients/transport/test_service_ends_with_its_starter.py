"""A real service must not outlive whoever started it, however that ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

MODEL_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
# Says the service's process id as soon as there is one, and again once it is ready.
STARTER = """
import sys, time
from phonoscope_client.transport import service
start = service._start
def told(*given):
    process = start(*given)
    print(process.pid, flush=True)
    return process
service._start = told
with service.running_service(["--model-repository", sys.argv[1], "--threads", "1"]) as running:
    print("ready", flush=True)
    time.sleep(600)
"""
HANG_S = 300


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(("number", "when"), [(signal.SIGKILL, "ready"), (signal.SIGHUP, "starting")])
def test_a_service_ends_when_its_starter_is_killed(number, when):
    command = [sys.executable, "-c", STARTER, os.fspath(MODEL_REPOSITORY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        pid = int(starter.stdout.readline())
        if when == "ready":
            assert starter.stdout.readline() == "ready\n"
        assert is_there(pid)
        starter.send_signal(number)
    give_up_s = time.monotonic() + HANG_S
    while is_there(pid):
        assert time.monotonic() < give_up_s, "the service is still there"
        time.sleep(0.1)

"""`phonoscope-serve --engine triton` as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2_grpc
from phonoscope.v1 import explainer_service_pb2_grpc

from support.bundles.repository import REPOSITORY

READY_S = 120.0


def command(address, repository=REPOSITORY):
    """The service on free ports, on the Triton server at an address."""
    return [
        *(sys.executable, "-m", "phonoscope_serving.cli", "--model-repository", str(repository)),
        *("--engine", "triton", "--triton", address),
        *("--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"),
    ]


@contextmanager
def service_on(address, folder):
    """Stubs of the service and of its health once it is ready; it is told to stop afterwards, and must end with 0."""
    ready, log = folder / "ready.json", folder / "service.log"
    with log.open("w") as stderr:
        started = subprocess.Popen([*command(address), "--ready-file", str(ready)], stderr=stderr)
    try:
        give_up = time.monotonic() + READY_S
        while not ready.exists():
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.05)
        with grpc.insecure_channel(json.loads(ready.read_text())["address"]) as channel:
            yield explainer_service_pb2_grpc.ExplainerServiceStub(channel), health_pb2_grpc.HealthStub(channel)
        started.terminate()
        assert started.wait(60) == 0
    finally:
        started.kill()
        started.wait()

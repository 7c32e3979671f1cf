"""`phonoscope-serve --engine triton` as a process."""

from __future__ import annotations

import sys
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2_grpc
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope_client import running_service

from support.bundles.repository import REPOSITORY


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
    arguments = ["--model-repository", str(REPOSITORY), "--engine", "triton", "--triton", address]
    with (
        running_service(arguments, log_path=folder / "service.log") as running,
        grpc.insecure_channel(running.address) as channel,
    ):
        yield explainer_service_pb2_grpc.ExplainerServiceStub(channel), health_pb2_grpc.HealthStub(channel)
    assert running.process.returncode == 0

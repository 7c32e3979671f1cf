"""The image and the composition, as far as they can be checked without an engine to build and run them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import yaml
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from phonoscope_serving.command_line import get_parser
from support.images import DOCKERFILE, command, instruction, stages, whole

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_the_dockerfile_passes_hadolint():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", ["cpu", "gpu"])
def test_a_target_serves_as_a_user_without_rights_and_holds_no_trainer(target):
    assert instruction(target, "USER").isdecimal()
    assert int(instruction(target, "USER")) > 0
    assert get_parser().parse_args(command(target)).address == "0.0.0.0:50051"
    assert "trainer" not in DOCKERFILE.partition("\n\n")[2]


def test_the_build_is_given_what_it_copies_and_nothing_else():
    copied = {source for line in whole("wheel") if line.startswith("COPY") for source in line.split()[1:-1]}
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == admitted
    assert all((ROOT / source).exists() for source in copied)


def is_healthy(port):
    """What the image's health check says of a service on another port than the image's."""
    check = json.loads(re.search(r"HEALTHCHECK .*? CMD (\[.*\])", DOCKERFILE)[1])
    program = check[2].replace("127.0.0.1:50051", f"127.0.0.1:{port}")
    return subprocess.run([sys.executable, *check[1:2], program], capture_output=True, check=False).returncode == 0


def test_the_health_check_tells_a_serving_from_a_draining_and_from_a_lost_service():
    server, servicer = grpc.server(ThreadPoolExecutor(1)), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    serving, draining = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    try:
        servicer.set("", serving)
        assert is_healthy(port)
        servicer.set("", draining)
        assert not is_healthy(port)
    finally:
        server.stop(None).wait()
    assert not is_healthy(port)


def test_every_composed_service_reads_the_repository_and_cannot_write_it():
    for service in SERVICES.values():
        assert "./model_repository:/models:ro" in service["volumes"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_triton_is_stock_takes_no_orders_and_is_reached_by_the_service_alone():
    triton = SERVICES["triton"]
    assert triton["image"].startswith("nvcr.io/nvidia/tritonserver:")
    assert {"--model-repository=/models", "--model-control-mode=none"} <= set(triton["command"])
    assert "ports" not in triton


def test_the_composed_service_is_a_target_of_the_dockerfile_with_options_it_takes():
    service = SERVICES["phonoscope"]
    assert service["build"]["target"] in stages()
    options = get_parser().parse_args(command(service["build"]["target"], given=service["command"]))
    assert options.engine == "triton"
    assert options.triton.partition(":")[0] in service["depends_on"]
    assert {publish.rpartition(":")[2] for publish in service["ports"]} == set(instruction("cpu", "EXPOSE").split())

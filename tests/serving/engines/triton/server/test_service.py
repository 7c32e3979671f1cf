"""`phonoscope-serve` on a Triton server that dies and comes back under it."""

import json
import os
import signal
import subprocess
import sys

import grpc
import pytest
from grpc_health.v1 import health_pb2
from phonoscope.v1.explanation_pb2 import ExplainRequest
from support.bundles.repository import copied, replace
from support.corpora.sound import music, pcm
from support.same_numbers import assert_same_trust
from support.services.running import refusal, wait_until
from support.triton.service import command, service_on
from triton_server.server import CLIENT_S

pytestmark = [pytest.mark.triton, pytest.mark.e2e]
EXPLAIN = ExplainRequest(audio=pcm(music(3)), at_s=1.5)
WAIT_S = 600.0  # guards against what hangs
HEALTH = health_pb2.HealthCheckRequest(service="phonoscope.v1.ExplainerService")
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
COMMAND = [sys.executable, "-m", "phonoscope_serving.cli"]


def answered_again(service):
    """The first answer after the server's return, which takes a moment to be noticed."""
    answers = []

    def asked():
        try:
            answers.append(service.Explain(EXPLAIN, timeout=WAIT_S))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
        return answers

    wait_until(asked)
    return answers[0]


def test_a_killed_server_is_unavailable_and_asked_again_after_its_return(own_server, tmp_path):
    own_server.start()
    with service_on(own_server.address, tmp_path) as (service, _):
        before = service.Explain(EXPLAIN, timeout=WAIT_S)
        in_flight = [service.Explain.future(EXPLAIN, timeout=WAIT_S) for _ in range(32)]
        own_server.kill()
        assert {call.code().name for call in in_flight} <= {"OK", "UNAVAILABLE"}
        for _ in range(2):
            assert refusal(service.Explain, EXPLAIN, timeout=WAIT_S).code() is grpc.StatusCode.UNAVAILABLE
        own_server.start()
        after = answered_again(service)
    assert_same_trust(after.trust, before.trust)


def test_a_server_that_comes_back_with_another_bundle_is_not_asked(own_server, tmp_path):
    own_server.start()
    with service_on(own_server.address, tmp_path) as (service, _):
        service.Explain(EXPLAIN, timeout=WAIT_S)
        own_server.kill()
        assert refusal(service.Explain, EXPLAIN, timeout=WAIT_S).code() is grpc.StatusCode.UNAVAILABLE
        config = own_server.repository / "detector/config.pbtxt"
        text = config.read_text()
        config.write_text(text.replace('string_value: "conv1,', 'string_value: "'))
        own_server.start()
        refused = "another model detector: parameter layers"
        wait_until(lambda: refused in refusal(service.Explain, EXPLAIN, timeout=WAIT_S).details())


def test_models_swapped_between_two_calls_are_noticed_and_not_asked(own_server, bundle, tmp_path):
    def swap(old, new):
        config.write_text(config.read_text().replace(old, new))
        with own_server.client() as client:
            client.load_model("detector", client_timeout=CLIENT_S)

    own_server.start()
    config = own_server.repository / "detector/config.pbtxt"
    digest = bundle.models["detector"].parameters["graph_sha256"].string_value
    with service_on(own_server.address, tmp_path) as (service, health):
        before = service.Explain(EXPLAIN, timeout=WAIT_S)
        watch = health.Watch(HEALTH, timeout=WAIT_S)
        assert next(watch).status == SERVING
        swap(digest, "0" * 64)
        assert next(watch).status == NOT_SERVING
        error = refusal(service.Explain, EXPLAIN, timeout=WAIT_S)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert "another model detector: parameter graph_sha256" in error.details()
        swap("0" * 64, digest)
        assert next(watch).status == SERVING
        assert_same_trust(service.Explain(EXPLAIN, timeout=WAIT_S).trust, before.trust)


def test_health_follows_the_server(own_server, tmp_path):
    own_server.start()
    with service_on(own_server.address, tmp_path) as (_, health):
        watch = health.Watch(HEALTH, timeout=WAIT_S)
        assert next(watch).status == SERVING
        own_server.kill()
        assert next(watch).status == NOT_SERVING
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=WAIT_S).status == SERVING  # the process itself
        own_server.start()
        assert next(watch).status == SERVING


def test_a_frozen_server_holds_no_call_beyond_its_deadline_and_is_asked_again_once_it_thaws(own_server, tmp_path):
    own_server.start()
    with service_on(own_server.address, tmp_path) as (service, _):
        before = service.Explain(EXPLAIN, timeout=WAIT_S)
        processes = own_server.processes()
        for each in processes:
            os.kill(each, signal.SIGSTOP)
        try:
            ended = {refusal(service.Explain, EXPLAIN, timeout=2.0).code().name for _ in range(2)}
        finally:
            for each in processes:
                os.kill(each, signal.SIGCONT)
        assert ended <= {"DEADLINE_EXCEEDED", "UNAVAILABLE"}
        assert_same_trust(answered_again(service).trust, before.trust)


def test_the_service_does_not_start_on_another_bundle(server, tmp_path):
    root = copied(tmp_path)
    replace(root, "listen/config.pbtxt", '"audio"', '"sound"')
    done = subprocess.run(command(server.address, root), capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 1
    assert "has another model listen: output sound" in json.loads(done.stderr.splitlines()[-1])["message"]


def test_a_killed_server_leaves_no_process_and_no_shared_memory(own_server):
    own_server.start()
    assert own_server.leftovers() != []
    own_server.kill()
    assert own_server.leftovers() == []


@pytest.mark.parametrize("options", [["--engine", "triton"], ["--triton", "localhost:8001"], ["--triton", "8001"]])
def test_engine_and_address_go_together(options):
    wrong = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert wrong.returncode == 2
    assert "HOST:PORT" in wrong.stderr

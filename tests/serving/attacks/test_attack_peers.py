"""Callers who leave, vanish or freeze must not keep what they were given."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from phonoscope.v1 import prediction_pb2
from phonoscope_serving.bundle.bundle import load_bundle
from support.corpora.sound import encoded, file, music, pcm
from support.services.running import refusal, running, wait_until

SILENT_S = 4.0
SHORT = prediction_pb2.PredictRequest(audio=pcm(music(0.5)))
HOUR = prediction_pb2.PredictRequest(audio=file(encoded(np.zeros(1190 * 8000, np.float32), 8000, "FLAC")))
CALLER = """
import sys, time, grpc
with grpc.insecure_channel(sys.argv[1]) as channel:
    call = channel.unary_unary("/phonoscope.v1.ExplainerService/Predict").future(open(sys.argv[2], "rb").read())
    time.sleep(3600)
"""


@pytest.fixture(scope="module")
def service(repository):
    options = {"silent_peer_s": SILENT_S}
    with running(load_bundle(repository), device="cpu", threads=1, server_options=options) as service:
        service.stub.Predict(SHORT)
        yield service


def calls_there(service):
    return service.count("phonoscope_work_calls", kind="predict")


def batches(service):
    return service.count("phonoscope_batch_rows_count", model="predict")


@contextmanager
def another_process(service, folder):
    """A caller who asks about an hour of sound and does nothing else."""
    (folder / "request").write_bytes(HOUR.SerializeToString())
    arguments = [sys.executable, "-c", CALLER, service.server.address, str(folder / "request")]
    process = subprocess.Popen(arguments)
    try:
        before = batches(service)
        wait_until(lambda: calls_there(service) == 1 and batches(service) > before)
        yield process
    finally:
        process.kill()
        process.wait()


def assert_nothing_runs(service):
    """What was asked for by who is gone is given up within a batch."""
    wait_until(lambda: calls_there(service) == 0)
    before = batches(service)
    service.stub.Predict(SHORT)
    assert batches(service) - before <= 2  # one may have been running


def test_attack_a_call_that_is_cancelled_frees_its_place_within_a_batch(service):
    before = batches(service)
    call = service.stub.Predict.future(HOUR)
    wait_until(lambda: batches(service) > before)
    call.cancel()
    assert_nothing_runs(service)


@pytest.mark.e2e
def test_attack_a_caller_who_is_killed_frees_its_place_within_a_batch(service, tmp_path):
    with another_process(service, tmp_path) as process:
        process.kill()
        assert_nothing_runs(service)


@pytest.mark.e2e
def test_attack_a_caller_who_freezes_does_not_keep_its_place(service, tmp_path):
    def cancelled():
        labels = {"grpc_type": "unary", "grpc_service": "phonoscope.v1.ExplainerService", "grpc_method": "Predict"}
        return service.count("grpc_server_handled_total", grpc_code="CANCELLED", **labels)

    before = cancelled()
    with another_process(service, tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: calls_there(service) == 0)
        wait_until(lambda: cancelled() == before + 1)  # not because it was answered
        process.send_signal(signal.SIGCONT)


BLOCKED_CALLS = 600  # their lines are several times what a pipe holds


@pytest.mark.e2e
def test_attack_a_log_that_nobody_reads_stops_nothing(tmp_path, repository):
    reading, writing = os.pipe()
    ready = tmp_path / "ready.json"
    arguments = ["--model-repository", str(repository), "--device", "cpu", "--ready-file", str(ready)]
    arguments += ["--address", f"unix:{tmp_path}/socket", "--metrics-address", "127.0.0.1:0"]
    process = subprocess.Popen([sys.executable, "-m", "phonoscope_serving.cli", *arguments], stderr=writing)
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None)
        with grpc.insecure_channel(f"unix:{tmp_path}/socket") as channel:
            describe = channel.unary_unary("/phonoscope.v1.ExplainerService/DescribeBundle")
            for _ in range(BLOCKED_CALLS):
                assert describe(b"")
                refusal(channel.unary_unary("/phonoscope.v1.ExplainerService/Predict"), b"")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(writing)
        os.close(reading)

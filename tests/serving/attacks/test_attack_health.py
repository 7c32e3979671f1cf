"""Health says what the engine can do, and no engine that hangs keeps the process from ending."""

import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from phonoscope.v1 import explainer_service_pb2_grpc, prediction_pb2
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine
from support.corpora.sound import music, pcm
from support.services.running import HANG_S, refusal, running, wait_until

SHORT = prediction_pb2.PredictRequest(audio=pcm(music(0.5)))
NAME = "phonoscope.v1.ExplainerService"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def test_attack_health_follows_an_engine_that_fails_batch_after_batch_and_back(repository, monkeypatch):
    broken, run = threading.Event(), OnnxEngine.run

    def breaking(engine, *arguments):
        if broken.is_set():
            raise RuntimeError("broken")
        return run(engine, *arguments)

    monkeypatch.setattr(OnnxEngine, "run", breaking)
    with running(load_bundle(repository), device="cpu", threads=1) as service:
        stub = health_pb2_grpc.HealthStub(service.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service=NAME)) for _ in range(2)]
        assert [next(watch).status for watch in watches] == [SERVING] * 2
        watches.pop().cancel()  # and the other is told all the same
        broken.set()
        for _ in range(5):
            assert refusal(service.stub.Predict, SHORT).code() is grpc.StatusCode.INTERNAL
        assert next(watches[0]).status == NOT_SERVING
        assert stub.Check(health_pb2.HealthCheckRequest(service="")).status == SERVING
        assert service.count("phonoscope_serving") == 0
        broken.clear()
        assert next(watches[0]).status == SERVING
        assert service.count("phonoscope_serving") == 1
        assert service.stub.Predict(SHORT).probability


HANGING = """
import sys, threading
from phonoscope_serving.engines.onnx.engine import OnnxEngine
from phonoscope_serving.cli import main
run = OnnxEngine.run
def hang(engine, model, *arguments):
    if model == "predict" and threading.current_thread().name.startswith("engine") and HUNG:
        threading.Event().wait()
    return run(engine, model, *arguments)
OnnxEngine.run, load, HUNG = hang, OnnxEngine.load, []
def loaded(engine):
    load(engine)
    HUNG.append(True)
OnnxEngine.load = loaded
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def hanging(tmp_path, repository):
    """A service whose engine hangs at the first Predict: its process, and the call that waits."""
    processes = []

    def start(*options):
        ready = tmp_path / "ready.json"
        arguments = ["--model-repository", str(repository), "--device", "cpu", "--ready-file", str(ready), *options]
        arguments += ["--address", f"unix:{tmp_path}/socket", "--metrics-address", "127.0.0.1:0"]
        process = subprocess.Popen([sys.executable, "-c", HANGING, *arguments], stderr=subprocess.DEVNULL)
        processes.append(process)
        wait_until(lambda: ready.exists() or process.poll() is not None)
        channel = grpc.insecure_channel(f"unix:{tmp_path}/socket")
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        call = stub.Predict.future(SHORT)
        time.sleep(1)
        return process, call

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.e2e
def test_attack_an_engine_that_hangs_ends_the_process(hanging):
    process, call = hanging("--watchdog-s", "2")
    assert process.wait(HANG_S) == 70
    assert call.exception() is not None


@pytest.mark.e2e
def test_attack_a_batch_that_hangs_does_not_outlive_the_drain(hanging):
    process, call = hanging("--drain-s", "1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG_S) == 70
    assert call.exception() is not None


@pytest.mark.e2e
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_attack_a_second_signal_ends_it_at_once(hanging, second):
    process, _ = hanging("--drain-s", "600")
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    process.send_signal(second)
    assert process.wait(HANG_S) == -second

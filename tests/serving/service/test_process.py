"""`phonoscope-serve` as it is deployed: a process, signals, a log, an exit status."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope_client import running_service
from phonoscope_serving.command_line import default_repository, get_parser
from support.bundles.repository import REPOSITORY, copied, put
from support.corpora.sound import music, pcm
from support.services.running import HANG_S, UNLIMITED, refusal, wait_until

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "phonoscope_serving.cli", "--model-repository", str(REPOSITORY), "--device", "cpu"]
PATIENT_DRAIN = ["--drain-s", str(HANG_S)]  # on a slow machine, what is in flight takes its time
FREE_PORTS = ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"]
CALL_ARRIVING = re.compile(r'grpc_server_started_total\{grpc_method="Predict"')  # its headers are there
CALL_STARTED = re.compile(r'grpc_server_started_total\{grpc_method="Predict".*\} 1\.0')
EXPLAIN = ExplainRequest(audio=pcm(music(3)), at_s=1.5)


@contextmanager
def process(folder, *options):
    """The service, its addresses once it is ready, and where its log goes."""
    arguments = ["--model-repository", str(REPOSITORY), "--device", "cpu", *options]
    with running_service(arguments, log_path=folder / "log") as running:
        addresses = {"address": running.address, "metrics_address": running.metrics_address}
        yield running.process, addresses, running.log_path


def lines(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_ready_file_names_addresses_that_answer(tmp_path):
    with process(tmp_path) as (_, addresses, _log), grpc.insecure_channel(addresses["address"]) as channel:
        assert explainer_service_pb2_grpc.ExplainerServiceStub(channel).Explain(EXPLAIN).at_s == 1.5
        assert int(addresses["metrics_address"].rpartition(":")[2]) > 0


def test_sigterm_finishes_what_is_in_flight_refuses_what_is_new_and_exits_with_0(tmp_path):
    with (
        process(tmp_path, *PATIENT_DRAIN) as (service, addresses, log),
        grpc.insecure_channel(addresses["address"], UNLIMITED) as channel,
        grpc.insecure_channel(addresses["address"], [("grpc.use_local_subchannel_pool", 1)]) as late,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        in_flight = stub.Predict.future(PredictRequest(audio=pcm(np.tile(music(40), 6))))
        wait_for(addresses, CALL_STARTED)
        service.send_signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert first_refusal(explainer_service_pb2_grpc.ExplainerServiceStub(late).Explain) == "UNAVAILABLE"
        assert len(in_flight.result(HANG_S).probability) == 1 + (240 * 22050 - 1024) // 315
        assert service.wait(HANG_S) == 0
    assert [line["message"] for line in lines(log)][-1] == "stopped"


def test_a_lazy_service_answers_before_anything_is_loaded_and_tells_what_is(tmp_path):
    with process(tmp_path, "--lazy") as (_, addresses, log), grpc.insecure_channel(addresses["address"]) as channel:
        status = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest()).status
        assert status == health_pb2.HealthCheckResponse.SERVING
        assert loaded_graphs(addresses) == {"frontend"}
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        stub.Predict(PredictRequest(audio=pcm(music(3))))
        assert loaded_graphs(addresses) == {"frontend", "track_detector"}
    assert [line["model"] for line in lines(log) if "loaded_s" in line] == ["predict"]


def loaded_graphs(addresses):
    metrics = urllib.request.urlopen(f"http://{addresses['metrics_address']}/metrics").read().decode()
    return set(re.findall(r'phonoscope_graphs_loaded\{graph="(\w+)"\} 1\.0', metrics))


def test_a_request_that_is_still_arriving_is_finished_too(tmp_path):
    with (
        process(tmp_path, *PATIENT_DRAIN) as (service, addresses, _log),
        grpc.insecure_channel(addresses["address"], UNLIMITED) as channel,
    ):
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        stub.Explain(EXPLAIN)
        arriving = stub.Predict.future(PredictRequest(audio=pcm(np.tile(music(50), 5))))
        wait_for(addresses, CALL_ARRIVING)
        service.send_signal(signal.SIGTERM)
        assert len(arriving.result(HANG_S).probability) == 1 + (250 * 22050 - 1024) // 315
        assert service.wait(HANG_S) == 0


def first_refusal(call):
    """The code of the first refusal; between saying NOT_SERVING and closing its door the service still answers."""
    while True:
        try:
            call(EXPLAIN)
        except grpc.RpcError as error:
            return error.code().name


def wait_for(addresses, metric):
    def is_there():
        with urllib.request.urlopen(f"http://{addresses['metrics_address']}/metrics") as page:
            return any(metric.match(line) for line in page.read().decode().splitlines())

    wait_until(is_there)


def test_what_takes_longer_than_the_drain_is_cut_off(tmp_path):
    with (
        process(tmp_path, "--drain-s", "0.1") as (service, addresses, log),
        grpc.insecure_channel(addresses["address"], UNLIMITED) as channel,
    ):
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        long = stub.Predict.future(PredictRequest(audio=pcm(np.tile(music(50), 14))))
        wait_for(addresses, CALL_STARTED)
        service.send_signal(signal.SIGTERM)
        assert long.exception(HANG_S) is not None
        assert service.wait(HANG_S) == 0
    assert "calls were cut off" in [line["message"] for line in lines(log)]


def test_a_ready_file_of_an_earlier_run_is_taken_away_at_once(tmp_path):
    ready = tmp_path / "ready.json"
    ready.write_text("stale")
    missing = [*COMMAND, *FREE_PORTS, "--ready-file", str(ready), "--model-repository", str(tmp_path / "none")]
    assert subprocess.run(missing, capture_output=True, timeout=HANG_S, check=False).returncode == 1
    assert not ready.exists()


def test_every_call_leaves_one_line_that_names_it_and_holds_no_audio(tmp_path):
    trace = "0af7651916cd43dd8448eb211c80319c"
    metadata = [("x-request-id", "tell-me"), ("traceparent", f"00-{trace}-b7ad6b7169203331-01")]
    with process(tmp_path) as (service, addresses, log), grpc.insecure_channel(addresses["address"]) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        stub.Explain(EXPLAIN, metadata=metadata)
        refusal(stub.Explain, ExplainRequest(at_s=-1))
        service.terminate()
        assert service.wait(HANG_S) == 0
    good, bad = [line for line in lines(log) if line["message"] == "call"]
    assert good["method"] == "/phonoscope.v1.ExplainerService/Explain"
    assert (good["code"], good["request_id"], good["trace_id"]) == ("OK", "tell-me", trace)
    assert 0 < good["seconds"] < HANG_S
    assert good["bundle"]
    assert (bad["code"], bad["details"].count("audio")) == ("INVALID_ARGUMENT", 1)
    assert max(len(line) for line in log.read_text().splitlines()) < 1000


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_whoever_listens_to_other_machines_in_the_clear_is_warned(tmp_path, host, warned):
    options = ["--address", f"{host}:0", "--health-address", "127.0.0.1:0"]
    with process(tmp_path, *options) as (service, _addresses, log):
        ready = next(line for line in lines(log) if "health_address" in line)
        with grpc.insecure_channel(ready["health_address"]) as probe:
            assert health_pb2_grpc.HealthStub(probe).Check(health_pb2.HealthCheckRequest()).status == 1
        service.terminate()
        assert service.wait(HANG_S) == 0
    warnings = [line for line in lines(log) if line["level"] == "WARNING"]
    assert bool(warnings) == warned
    assert all("in the clear" in line["message"] for line in warnings)


def test_a_second_service_on_the_same_port_says_so_and_exits_with_1(tmp_path):
    with process(tmp_path) as (_, addresses, _log):
        taken = [*COMMAND, "--address", addresses["address"], "--metrics-address", "127.0.0.1:0"]
        second = subprocess.run(taken, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert second.returncode == 1
    assert f"cannot listen on {addresses['address']}" in second.stderr
    assert "Traceback" not in second.stderr


def test_an_altered_repository_is_not_served(tmp_path):
    root = copied(tmp_path)
    put(root, "detector/1/model.onnx", b"altered")
    command = [sys.executable, "-m", "phonoscope_serving.cli", *FREE_PORTS, "--model-repository", str(root)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=HANG_S, check=False)
    assert refused.returncode == 1
    (line,) = [json.loads(line) for line in refused.stderr.splitlines()]
    assert "detector/1/model.onnx is not the file the manifest describes" in line["message"]


WRONG = [
    ["--lazy", "--engine", "triton", "--triton", "127.0.0.1:1"],
    ["--queue-rows", "0"],
    ["--threads", "-1"],
    ["--device", "abacus"],
    ["--drain-s", "-1"],
    ["--port", "1"],
]


@pytest.mark.parametrize("options", WRONG)
def test_a_wrong_option_ends_with_2(options):
    wrong = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=HANG_S, check=False)
    assert wrong.returncode == 2
    assert options[0] in wrong.stderr


def test_the_help_shows_how_the_service_is_used():
    text = get_parser().format_help()
    assert "examples:" in text
    assert "SIGTERM" in text


def test_the_repository_is_the_one_named_then_the_one_here_then_the_one_beside_the_source(monkeypatch, tmp_path):
    monkeypatch.delenv("PHONOSCOPE_MODEL_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert default_repository() == REPOSITORY
    (tmp_path / "model_repository").mkdir()
    (tmp_path / "model_repository" / "MANIFEST.json").write_text("{}")
    assert default_repository().resolve() == tmp_path / "model_repository"
    monkeypatch.setenv("PHONOSCOPE_MODEL_REPOSITORY", os.fspath(tmp_path / "elsewhere"))
    assert default_repository() == tmp_path / "elsewhere"

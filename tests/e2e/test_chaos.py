"""What befalls a service from outside: it is killed, disks are full, files run out, callers do not read, time jumps."""

import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import grpc
import numpy as np
import pytest
from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope.v1.track_pb2 import ExplainTrackRequest, PcmStream, TrackSettings
from phonoscope_client import Client, running_service
from support.bundles.repository import small
from support.corpora.sound import encoded, file, music, pcm
from support.services.half_sent import DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, frame, literal
from support.services.running import HANG_S, UNLIMITED, wait_until
from support.services.wrong_clock import WrongClock

pytestmark = pytest.mark.e2e
EXPLAIN = ExplainRequest(audio=pcm(music(3)), at_s=1.5)
END_STREAM = 1
FIRST_WINDOW = 65_535  # bytes that whoever has just connected may be sent
HOUR_S, DAY_S = 3600, 86_400
SECONDS = 500  # of a recording whose curve does not fit into it


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return small(tmp_path_factory.mktemp("chaos"))


@pytest.fixture(scope="module")
def service(repository):
    with running_service(arguments(repository)) as service:
        yield service


def arguments(repository, *options):
    return ["--model-repository", str(repository), "--device", "cpu", "--threads", "1", *options]


def explain(address):
    """One answer, on a connection of its own."""
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        return ExplainerServiceStub(channel).Explain(EXPLAIN, timeout=HANG_S)


def metric(service, name):
    with urllib.request.urlopen(f"http://{service.metrics_address}/metrics") as page:
        found = re.search(rf"^{name} (\S+)$", page.read().decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0


def test_a_service_that_is_killed_and_started_again_is_found_by_its_callers(repository):
    with ExitStack() as stack:
        port = free_port()
        at = arguments(repository, "--address", f"127.0.0.1:{port}")
        first = stack.enter_context(running_service(at))
        client = stack.enter_context(Client(first.address, timeout_s=HANG_S, patience_s=HANG_S))
        pool = stack.enter_context(ThreadPoolExecutor(4))
        assert client.describe().name
        under_way = [pool.submit(client.explain, (music(3), 22050), 1.5) for _ in range(4)]
        first.process.kill()
        first.process.wait()
        stack.enter_context(running_service(at))
        assert {each.result(HANG_S).at_s for each in under_way} == {1.5}


def test_a_service_with_64_file_descriptors_answers_again_once_callers_have_left(repository, tmp_path):
    wrapped = tmp_path / "phonoscope-serve"
    wrapped.write_text(f'#!/bin/sh\nulimit -n 64\nexec {sys.executable} -m phonoscope_serving.cli "$@"\n')
    wrapped.chmod(0o755)
    with running_service(arguments(repository), program=str(wrapped)) as service:
        host, _, port = service.address.rpartition(":")
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection((host, int(port)), timeout=HANG_S))
            time.sleep(0.5)
            assert service.process.poll() is None
        assert explain(service.address).at_s == 1.5
        service.process.terminate()
        assert service.process.wait(HANG_S) == 0


def test_a_full_disk_for_the_log_costs_lines_and_no_answers(repository, tmp_path):
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "phonoscope_serving.cli", *arguments(repository, "--ready-file", str(ready))]
    command += ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"]
    with Path("/dev/full").open("wb") as full, subprocess.Popen(command, stdout=full, stderr=full) as process:
        wait_until(lambda: ready.exists() or process.poll() is not None)
        told = Ready(**json.loads(ready.read_text()))
        assert explain(told.address).at_s == 1.5
        wait_until(lambda: metric(told, "phonoscope_log_lines_dropped") > 0)
        process.terminate()
        assert process.wait(HANG_S) == 0


def test_callers_who_do_not_read_their_answers_keep_nobody_from_theirs(service):
    silence = file(encoded(np.zeros(SECONDS * 8000, np.float32), 8000, "FLAC"))
    request = PredictRequest(audio=silence).SerializeToString()
    assert len(request) < FIRST_WINDOW
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(unread(service.address, request))
        assert explain(service.address).at_s == 1.5
    assert explain(service.address).at_s == 1.5


def test_a_wall_clock_that_is_set_while_calls_are_there_ends_none_of_them(repository, tmp_path):
    clock, log = WrongClock(tmp_path), tmp_path / "log"
    with (
        running_service(arguments(repository), program=str(clock.serve), log_path=log) as service,
        grpc.insecure_channel(service.address, UNLIMITED) as channel,
    ):
        stub = ExplainerServiceStub(channel)
        for times, off_s in enumerate((2 * HOUR_S, -DAY_S), 1):
            is_set = threading.Event()
            running = stub.Predict.future(PredictRequest(audio=pcm(np.tile(music(50), 6))), timeout=HOUR_S)
            arriving = stub.ExplainTrack(track_after(is_set), timeout=HOUR_S)
            wait_until(lambda times=times: started(service, "Predict") == started(service, "ExplainTrack") == times)
            clock.set(off_s)
            is_set.set()
            assert list(arriving)[-1].summary.complete
            assert running.result(HANG_S).probability
            assert explain(service.address).at_s == 1.5
        told = [datetime.fromisoformat(json.loads(line)["time"]) for line in log.read_text().splitlines()]
        assert abs((told[-1] - told[0]).total_seconds() + DAY_S) < HANG_S


def started(service, method):
    return metric(service, rf'grpc_server_started_total{{.*"{method}".*}}')


def track_after(event):
    """A track that is begun and sent only once something has happened."""
    event.wait(HANG_S)
    yield ExplainTrackRequest(settings=TrackSettings(pcm=PcmStream(sample_rate_hz=22050)))
    yield ExplainTrackRequest(chunk=music(3).tobytes())


@contextmanager
def unread(address, request):
    """A call whose answer stays on the way: nothing that arrives is read, and no room for more is given."""
    host, _, port = address.rpartition(":")
    headers = [(":method", "POST"), (":scheme", "http"), (":path", "/phonoscope.v1.ExplainerService/Predict")]
    headers += [(":authority", "service"), ("content-type", "application/grpc"), ("te", "trailers")]
    block = b"".join(literal(*header) for header in headers)
    message = b"\0" + struct.pack(">I", len(request)) + request
    pieces = [message[at : at + 16_384] for at in range(0, len(message), 16_384)]
    with socket.create_connection((host, int(port)), timeout=HANG_S) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, block))
        for number, piece in enumerate(pieces, 1):
            connection.sendall(frame(DATA, END_STREAM if number == len(pieces) else 0, 1, piece))
        yield


class Ready:
    """What a service wrote once it was ready."""

    def __init__(self, address, metrics_address):
        self.address, self.metrics_address = address, metrics_address


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]

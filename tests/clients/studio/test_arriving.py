"""A song that is still being sent is read by whoever hears it; one that breaks off leaves nothing."""

import http.client
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from phonoscope_client import running_service
from phonoscope_client.errors import InvalidInputError
from phonoscope_client.results.parts import wav
from phonoscope_client.studio.shelf.arriving import Arriving
from phonoscope_client.transport.chunks import CHUNK_BYTES
from support.services.studio import HANG_S, running_studio

MODEL_REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
CONTENT = np.random.default_rng(0).bytes(3 * CHUNK_BYTES + 100)


@pytest.fixture
def arriving(tmp_path):
    begun = Arriving(tmp_path / "song", len(CONTENT))
    yield begun
    begun.end(whole=False)


def test_what_has_come_is_given_before_the_rest_is_there(arriving):
    arriving.write(CONTENT[: CHUNK_BYTES + 10])
    assert next(iter(arriving)) == CONTENT[:CHUNK_BYTES]
    assert not arriving.is_whole


def test_whoever_waits_is_given_the_rest_as_it_comes_and_each_reads_from_the_start(arriving):
    read = {number: [] for number in range(2)}
    readers = [threading.Thread(target=lambda into=into: into.extend(arriving)) for into in read.values()]
    for reader in readers:
        reader.start()
    for first in range(0, len(CONTENT), 1000):
        arriving.write(CONTENT[first : first + 1000])
    arriving.end(whole=True)
    for reader in readers:
        reader.join(HANG_S)
    assert [b"".join(chunks) for chunks in read.values()] == [CONTENT, CONTENT]
    assert arriving.path.read_bytes() == CONTENT
    assert arriving.is_whole


def test_whoever_waits_is_told_that_it_broke_off(arriving):
    arriving.write(CONTENT[:10])
    told = []

    def read():
        with pytest.raises(InvalidInputError, match="broke off") as raised:
            next(iter(arriving))
        told.append(raised)

    reader = threading.Thread(target=read)
    reader.start()
    arriving.end(whole=False)
    reader.join(HANG_S)
    assert told
    arriving.end(whole=True)
    assert not arriving.is_whole


@pytest.mark.e2e
def test_a_song_is_heard_while_it_arrives_and_one_that_breaks_off_leaves_nothing(tone, tmp_path):
    song = wav(np.tile(tone, 20), 22050)
    arguments = ["--model-repository", str(MODEL_REPOSITORY), "--threads", "1"]
    with running_service(arguments) as service, running_studio("--server", service.address) as studio:
        visitor = studio.visitor()
        connection = http.client.HTTPConnection(visitor.host, timeout=HANG_S)
        connection.putrequest("POST", "/api/songs?name=half")
        for name, value in {"cookie": visitor.cookie, "content-length": str(len(song))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(song[: len(song) // 2])
        _until(lambda: _asked(service) == 1)
        connection.close()
        _until(lambda: '"CANCELLED"' in service.log_path.read_text())
        assert visitor.get("/api/songs").json == []
        answer = visitor.drop(song, "whole")
        assert answer.status == 201
        assert visitor.lines(f"/api/songs/{answer.json['id']}/track")[-1]["complete"]
        assert _asked(service) == 2, "what was heard while it arrived is not heard again"


def _asked(service):
    """Tracks that the service was asked about."""
    connection = http.client.HTTPConnection(service.metrics_address, timeout=HANG_S)
    connection.request("GET", "/metrics")
    said = connection.getresponse().read().decode()
    counts = [
        line for line in said.splitlines() if line.startswith("grpc_server_started_total") and '"ExplainTrack"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in counts)


def _until(holds):
    give_up_s = time.monotonic() + HANG_S
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)

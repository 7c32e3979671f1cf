"""Bad files at the service as it is deployed: its log stays a log."""

import json

import grpc
import numpy as np
import pytest
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope_client import running_service
from support.bundles.repository import REPOSITORY
from support.corpora.sound import encoded, file
from support.corpora.sound_files import coded, pages, picture, song, tag, wav
from support.services.running import HANG_S

pytestmark = pytest.mark.e2e
RATE_HZ = 22050


def bad_files():
    """Files of several kinds, whole, cut, overwritten, and with single bytes wrong."""
    rng = np.random.default_rng(0)
    ogg = encoded(song(3), RATE_HZ, "OGG")
    whole = [
        encoded(song(3), RATE_HZ, "MP3"),
        coded(song(3), RATE_HZ, "mp3", "libmp3lame", write_xing="0"),
        ogg,
        encoded(song(3), RATE_HZ, "FLAC"),
        coded(song(3), RATE_HZ, "adts", "aac"),
        coded(song(3), RATE_HZ, "ipod", "aac"),
        coded(song(3), 48000, "webm", "libopus"),
        wav(song(3)),
    ]
    yield from (b"", b"nonsense" * 99, picture(), tag(300), bytes(9999), b"".join(pages(ogg)[1:]), whole[0] + whole[3])
    for content in whole:
        yield content[: len(content) // 2]
        overwritten = bytearray(content)
        overwritten[len(content) // 2 : len(content) // 2 + 5000] = bytes(5000)
        yield bytes(overwritten)
        wrong = np.frombuffer(content, np.uint8).copy()
        wrong[rng.integers(0, len(wrong), 40)] ^= 255
        yield wrong.tobytes()


def test_whatever_files_hold_the_log_is_one_object_a_line(tmp_path):
    arguments = ["--model-repository", str(REPOSITORY), "--device", "cpu", "--log-level", "debug"]
    sent = 0
    with (
        running_service(arguments, log_path=tmp_path / "log") as running,
        grpc.insecure_channel(running.address) as channel,
    ):
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        for content in bad_files():
            for call, request in (
                (stub.Predict, PredictRequest(audio=file(content))),
                (stub.Explain, ExplainRequest(audio=file(content), at_s=1.0)),
            ):
                code = call.future(request).code()
                assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE)
                sent += 1
        running.process.terminate()
        assert running.process.wait(HANG_S) == 0
    lines = [json.loads(line) for line in running.log_path.read_text().splitlines()]
    assert sum(line["message"] == "call" for line in lines) == sent
    assert not [line for line in lines if line["level"] in ("WARNING", "ERROR", "CRITICAL")]

"""More than there is time for: what is answered is answered in time, and nobody is starved."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from phonoscope.v1 import explanation_pb2, prediction_pb2
from support.corpora.sound import encoded, file, music, pcm
from support.services.attacked import attacked
from support.services.running import HANG_S, details, refusal

pytestmark = pytest.mark.e2e

SHORT = prediction_pb2.PredictRequest(audio=pcm(music(0.5)))
MANY, FEW = ([("authorization", f"Bearer {token}")] for token in ("many", "few"))


@pytest.fixture(scope="module")
def service(tmp_path_factory, repository):
    folder = tmp_path_factory.mktemp("overload")
    (folder / "tokens").write_text("many\nfew\n")
    with attacked(folder, repository, "--token-file", str(folder / "tokens"), "--budget-s", "0.1") as service:
        for _ in range(3):  # what it costs is known from here on
            service.stub.Predict(SHORT, metadata=FEW)
        yield service


class Flood:
    """One caller who always has so many calls outstanding."""

    def __init__(self, service, calls):
        self.answered, self.refused, self._stop = 0, [], threading.Event()
        self._service, self._pool, self._lock = service, ThreadPoolExecutor(calls), threading.Lock()
        self._calls = calls

    def __enter__(self):
        self._running = [self._pool.submit(self._ask) for _ in range(self._calls)]
        while not self.refused:
            time.sleep(0.05)
        return self

    def __exit__(self, *failure):
        self._stop.set()
        for running in self._running:
            running.result(HANG_S)

    def _ask(self):
        while not self._stop.is_set():
            try:
                self._service.stub.Predict(SHORT, metadata=MANY)
                with self._lock:
                    self.answered += 1
            except grpc.RpcError as error:
                self.refused.append(error)
                self._stop.wait(details(error, "RetryInfo").retry_delay.ToMilliseconds() / 1000)


def test_attack_a_caller_who_asks_for_everything_does_not_starve_another(service):
    with Flood(service, calls=100) as flood:
        before = flood.answered
        for _ in range(5):
            assert service.stub.Predict(SHORT, metadata=FEW).probability  # never refused
        assert flood.answered - before < 5 * 6  # of the other's, few are answered between two of these
    assert {error.code() for error in flood.refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_attack_a_recording_of_an_hour_does_not_keep_a_short_question_waiting(service):
    hour = file(encoded(np.zeros(1190 * 8000, np.float32), 8000, "FLAC"))  # as long as is accepted
    long = service.stub.Predict.future(prediction_pb2.PredictRequest(audio=hour), metadata=MANY)
    explain = explanation_pb2.ExplainRequest(audio=pcm(music(2)), at_s=1)
    assert service.stub.Explain(explain, metadata=FEW).at_s == 1.0
    assert service.stub.Predict(SHORT, metadata=FEW).probability
    assert not long.done()
    long.cancel()


def test_attack_what_would_be_too_late_is_refused_with_a_hint_and_what_is_taken_is_in_time(service):
    began_s = time.monotonic()
    service.stub.Predict(SHORT, metadata=FEW)
    alone_s = time.monotonic() - began_s
    answered, codes = 0, set()
    with Flood(service, calls=40):
        for _ in range(6):
            try:
                service.stub.Predict(SHORT, timeout=max(2.0, 50 * alone_s), metadata=FEW)
                answered += 1
            except grpc.RpcError as error:
                codes.add(error.code())
        error = refusal(service.stub.Predict, SHORT, timeout=0.001, metadata=MANY)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert answered >= 1
    assert codes <= {grpc.StatusCode.RESOURCE_EXHAUSTED}

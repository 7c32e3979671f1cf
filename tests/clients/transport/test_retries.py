"""What the client asks again, when, and how often in all; against a real gRPC server that answers as each test says."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from phonoscope.v1 import bundle_pb2, maximisation_pb2
from phonoscope_client import BusyError, Client, InvalidInputError, PhonoscopeError, UnavailableError
from phonoscope_client.transport.retries import Patience, RetryBudget, RetryOptions
from support.services.written_answers import abort, serving

TONE = (np.sin(np.arange(8000, dtype=np.float32) / 9), 8000)


def busy(seconds):
    return error_details_pb2.RetryInfo(retry_delay=Duration(nanos=round(seconds * 1e9)))


def failing(times, code, *details):
    """An answer that ends in a status as many times, then succeeds; and the attempts it has seen."""
    attempts = []

    def answer(request, context):
        attempts.append(time.monotonic())
        if len(attempts) <= times:
            abort(context, code, "as the test says", *details)
        return bundle_pb2.DescribeBundleResponse()

    return answer, attempts


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED], ids=lambda code: code.name)
def test_a_service_that_stops_as_a_call_comes_in_is_asked_again(code):
    answer, attempts = failing(1, code)
    with serving(answer) as address, Client(address) as client:
        client.describe()
    assert len(attempts) == 2


def test_a_busy_service_is_asked_again_when_it_said_so():
    answer, attempts = failing(2, grpc.StatusCode.RESOURCE_EXHAUSTED, busy(0.3))
    with serving(answer) as address, Client(address) as client:
        client.describe()
    assert len(attempts) == 3
    assert all(later - earlier >= 0.3 for earlier, later in itertools.pairwise(attempts))


def test_a_busy_service_is_not_waited_for_beyond_the_deadline():
    answer, attempts = failing(9, grpc.StatusCode.RESOURCE_EXHAUSTED, busy(0.9))
    with serving(answer) as address, Client(address, timeout_s=0.5) as client, pytest.raises(BusyError):
        client.describe()
    assert len(attempts) == 1


def test_who_would_rather_say_so_is_told_at_once_that_the_service_is_busy():
    answer, attempts = failing(1, grpc.StatusCode.RESOURCE_EXHAUSTED, busy(0.25))
    with serving(answer) as address, Client(address, retry_busy=False) as client:
        with pytest.raises(BusyError) as caught:
            client.describe()
        assert len(attempts) == 1
        client.describe()
    assert caught.value.retry_after_s == 0.25


def test_calls_refused_in_a_passing_overload_are_all_answered_in_the_end():
    until_s = time.monotonic() + 0.5

    def answer(request, context):
        if time.monotonic() < until_s:
            abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "full", busy(0.5))
        return bundle_pb2.DescribeBundleResponse()

    with serving(answer) as address, Client(address) as client, ThreadPoolExecutor(40) as pool:
        for answered in [pool.submit(client.describe) for _ in range(40)]:
            answered.result()


def test_retries_are_a_share_of_the_calls():
    attempts = []

    def answer(request, context):
        attempts.append(request)
        abort(context, grpc.StatusCode.UNAVAILABLE, "the engine is away")

    def ask(client):
        with pytest.raises(UnavailableError):
            client.describe()

    with serving(answer) as address, Client(address) as client, ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, [client] * 100))
    assert 100 < len(attempts) <= 100 + 10 + 0.2 * 100


def test_the_budget_is_earned_by_calls_and_spent_by_retries():
    budget = RetryBudget(RetryOptions(reserve=2, share=0.5))
    assert [budget.spend(1) for _ in range(3)] == [True, True, False]
    budget.earn()
    assert not budget.spend(1)
    budget.earn()
    assert budget.spend(1)
    for _ in range(99):
        budget.earn()
    assert [budget.spend(1) for _ in range(3)] == [True, True, False]


def test_patience_ends_with_the_callers_own():
    patience = Patience("Explain", 60, RetryOptions(patience_s=10))
    assert 9 < patience.away_s() <= 10
    assert Patience("Explain", 2, RetryOptions(patience_s=10)).away_s() <= 2
    waits = [patience.wait_s(UnavailableError("away")) for _ in range(6)]
    assert all(least <= wait <= 1.25 * least for least, wait in zip((0.1, 0.2, 0.4, 0.8, 1.6, 2), waits, strict=True))
    assert Patience("Explain", 60, RetryOptions(patience_s=0)).wait_s(UnavailableError("away")) is None


def test_a_service_that_is_started_again_meanwhile_is_found():
    with serving(lambda request, context: bundle_pb2.DescribeBundleResponse()) as address:
        port = int(address.rpartition(":")[2])
        client = Client(address)
        client.describe()
    with client, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(client.describe)
        time.sleep(1.5)
        assert not answered.done()
        with serving(lambda request, context: bundle_pb2.DescribeBundleResponse(), port=port):
            answered.result()


def test_closing_a_client_ends_its_waiting():
    client = Client("127.0.0.1:1", timeout_s=600, patience_s=600)
    with ThreadPoolExecutor(1) as pool:
        answered = pool.submit(client.describe)
        time.sleep(0.3)
        client.close()
        with pytest.raises(PhonoscopeError):
            answered.result()


@pytest.mark.parametrize("method", ["maximise", "auralise"])
def test_what_is_costly_is_not_asked_again_once_it_may_have_begun(method):
    answer, attempts = failing(9, grpc.StatusCode.UNAVAILABLE)
    with serving(answer) as address, Client(address) as client, pytest.raises(UnavailableError):
        client.maximise() if method == "maximise" else client.auralise(TONE, 0.5, "conv1")
    assert len(attempts) == 1


def test_what_is_costly_waits_for_a_service_and_says_why_none_was_reached():
    for patience_s in (0, 0.2):
        with Client("127.0.0.1:1", patience_s=patience_s) as client, pytest.raises(UnavailableError, match="connect"):
            client.maximise()


def test_a_stream_that_was_refused_is_asked_for_again_and_one_that_has_begun_is_not():
    attempts, begun = [], threading.Event()

    def answer(request, context):
        attempts.append(request)
        if len(attempts) == 1:
            abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "full", busy(0.1))
        yield maximisation_pb2.MaximiseResponse()
        begun.set()
        abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "full in the middle", busy(0.1))

    with serving(answer) as address, Client(address) as client, pytest.raises(BusyError):
        client.maximise()
    assert begun.is_set()
    assert len(attempts) == 2


def test_replicas_take_turns():
    asked = {}

    def replica(name):
        def answer(request, context):
            asked[name] = asked.get(name, 0) + 1
            return bundle_pb2.DescribeBundleResponse()

        return serving(answer)

    with replica("one") as one, replica("two") as two, replica("three") as three:
        for form in ("ipv4:{},{},{}", "ipv4:///{},{},{}"):
            asked.clear()
            with Client(form.format(one, two, three)) as client:
                while len(asked) < 3:  # a call goes to those that are connected to by then
                    client.describe()
                before = dict(asked)
                for _ in range(30):
                    client.describe()
            assert {name: asked[name] - before[name] for name in asked} == {"one": 10, "two": 10, "three": 10}


def test_patience_is_seconds():
    with pytest.raises(InvalidInputError, match="patience_s: -1; give seconds"):
        Client("127.0.0.1:1", patience_s=-1)

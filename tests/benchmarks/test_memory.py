"""The machinery behind `make bench-memory`; the real run takes minutes."""

from pathlib import Path
from statistics import median

import grpc
import pytest
from bench_memory import PARTS, Call, asked_once, drift, every_call, mixes
from fuzzing.messages import METHODS
from phonoscope_serving.bundle.bundle import load_bundle
from support.bundles.repository import REPOSITORY


class Stub:
    """Answers, but for one RPC."""

    def __init__(self, refused: str, status: grpc.StatusCode) -> None:
        self._refused, self._status = refused, status

    def __getattr__(self, rpc):
        def answer(request):
            if rpc == self._refused:
                error = grpc.RpcError()
                error.code = lambda: self._status
                raise error
            return request

        return answer


def test_every_rpc_is_called_of_every_listener():
    bundle = load_bundle(Path(REPOSITORY))
    calls = list(every_call(bundle))
    assert {call.rpc for call in calls} == {method.name for method in METHODS}
    assert len({call.name for call in calls}) == len(calls)
    for listener in bundle.listeners:
        explained = {call.name for call in calls if call.rpc == "Explain" and call.of.startswith(listener.name)}
        assert len(explained) == len(listener.rules)


def test_a_mix_is_as_large_as_asked_for_and_the_same_every_time():
    calls = [Call("Predict", "", None, 20), Call("Maximise", "", None)]
    mix = mixes(calls, 2003)
    assert (len(mix), sum(map(len, mix))) == (PARTS, 2003)
    assert mix == mixes(calls, 2003)
    assert sum(call.rpc == "Maximise" for part in mix for call in part) in range(50, 150)
    assert mixes(calls, 0) == []


def test_what_the_bundle_has_no_models_for_is_named():
    calls = [Call("Predict", "tagger", None), Call("Maximise", "tagger", None)]
    answered, absent = asked_once(Stub("Maximise", grpc.StatusCode.FAILED_PRECONDITION), calls)
    assert (answered, absent) == (calls[:1], ["Maximise tagger"])
    with pytest.raises(grpc.RpcError):
        asked_once(Stub("Maximise", grpc.StatusCode.INTERNAL), calls)


def test_a_leak_of_two_hundredths_shows_as_two_hundredths():
    resident = [400 * (1 + 0.02 * call / 2000) for call in range(2000)]
    medians = [median(resident[part * 200 : (part + 1) * 200]) for part in range(PARTS)]
    assert drift(medians) == pytest.approx(1.02, abs=1e-4)


def test_what_goes_up_and_down_has_not_grown():
    assert drift([430.0, 460.0, 410.0, 455.0, 430.0]) == 1.0
    assert drift([430.0]) == 1.0
    assert drift([]) == 1.0

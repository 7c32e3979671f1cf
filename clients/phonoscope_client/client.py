"""The client: one connection to a service, one method for each of its RPCs.

What each is asked, and what becomes of its answer, is in `questions`, which `aio` asks likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub

from phonoscope_client.questions import auralise, describe, explain, invert, maximise, predict, track
from phonoscope_client.questions.asking import asks
from phonoscope_client.questions.question import Question, StreamQuestion
from phonoscope_client.results.track import Track, collected
from phonoscope_client.results.track.track import TrackPart
from phonoscope_client.transport.calls import Calls
from phonoscope_client.transport.channel import Tls, open_channel
from phonoscope_client.transport.terms import Terms, seconds

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


class TrackStream(Iterator[TrackPart]):
    """The parts of an answer about a whole track, as they come; close it, or use it in `with`, to leave early.

    Args:
        parts: gives them; closing it ends the call.
    """

    def __init__(self, parts: Iterator[Any]) -> None:
        self._parts = parts

    def __next__(self) -> TrackPart:
        part: TrackPart = next(self._parts)
        return part

    def collect(self) -> Track:
        """All that is left of it, as one result."""
        with self:
            return collected(self)

    def close(self) -> None:
        """End the call; the service stops its work."""
        self._parts.close()  # type: ignore[attr-defined]  # a generator

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _asks(question: Callable[Asked, Question[Result]]) -> Callable[Concatenate[Client, Asked], Result]:
    def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        return client._answer(question(*args, **kwargs))

    return asks(question, ask)


def _follows(question: Callable[Asked, StreamQuestion[Result]]) -> Callable[Concatenate[Client, Asked], Result]:
    def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        return client._follow(question(*args, **kwargs))

    return asks(question, ask)


def _streams(question: Callable[Asked, track.TrackQuestion]) -> Callable[Concatenate[Client, Asked], TrackStream]:
    def ask(client: Client, /, *args: Asked.args, **kwargs: Asked.kwargs) -> TrackStream:
        return TrackStream(client._parts(question(*args, **kwargs)))

    return asks(question, ask, "TrackStream")


class Client:
    """A connection to an explainer service. It may be shared between threads; close it, or use it in `with`.

    Args:
        address: `host:port` of the service; of replicas, which share the calls, a name that stands for all of them,
            `dns:///music:50051`, or each, `ipv4:10.0.0.1:50051,10.0.0.2:50051`.
        timeout_s: seconds an answer may take, retries included.
        tls: encrypts the connection; None leaves it in the clear.
        token: bearer token, where the service asks for one; sent as it is, so give it together with `tls`.
        patience_s: seconds, of `timeout_s`, to go on where no service answers: it may be starting again.
        retry_busy: whether a busy service is asked again when it says so; otherwise that is raised at once.

    Retries are at most a share of the calls; `maximise` and `auralise`
    are not repeated once they may have begun. Every method raises a `PhonoscopeError`: `InvalidInputError` (do not
    retry), `BusyError` and `UnavailableError` (already retried), `DeadlineExceededError`, `NotInBundleError`,
    `UnauthenticatedError` or `ServiceError`.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_s: float = 30.0,
        tls: Tls | None = None,
        token: str | None = None,
        patience_s: float = 10.0,
        retry_busy: bool = True,
    ) -> None:
        terms = Terms(timeout_s, token, patience_s, retry_busy=retry_busy)
        self._channel = open_channel(address, tls)
        self._calls = Calls(self._channel, terms)
        self._stub = ExplainerServiceStub(self._channel)

    predict = _asks(predict.predict)
    explain = _asks(explain.explain)
    explain_track = _streams(track.explain_track)
    invert_layers = _asks(invert.invert_layers)
    auralise = _asks(auralise.auralise)
    maximise = _follows(maximise.maximise)
    describe = _asks(describe.describe)

    def close(self) -> None:
        """End the connection; calls in flight are cancelled."""
        self._calls.close()
        self._channel.close()

    def _answer(self, question: Question[Result]) -> Result:
        return question.read(self._calls.answer(question.method, self._method(question.method), question.request))

    def _follow(self, question: StreamQuestion[Result]) -> Result:
        reading = question.begin()
        with closing(
            self._calls.stream(question.method, self._method(question.method), lambda: question.request)
        ) as messages:
            for message in messages:
                reading.take(message)
        return reading.result()

    def _parts(self, question: track.TrackQuestion) -> Iterator[TrackPart]:
        reading, method = question.begin(), self._method(track.METHOD)
        timeout_s = float("inf") if question.timeout_s is None else seconds("timeout_s", question.timeout_s)
        with closing(self._calls.stream(track.METHOD, method, question.requests, timeout_s)) as messages:
            for message in messages:
                if (part := reading.part(message)) is not None:
                    yield part

    def _method(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._stub, name)
        return method

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

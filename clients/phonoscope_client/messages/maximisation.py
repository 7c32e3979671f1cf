"""Maximising: arguments to messages, and the events of the stream to a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from phonoscope.v1 import maximisation_pb2 as pb

from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.messages import wire
from phonoscope_client.results.maximisation import (
    Direction,
    Maximisation,
    MaximisationProgress,
    MaximisedExample,
)
from phonoscope_client.results.response import ResponseTerm

_DIRECTIONS = {"maximise": pb.DIRECTION_MAXIMISE, "minimise": pb.DIRECTION_MINIMISE}
_UINT32, _UINT64 = 2**32, 2**64


def request(
    terms: Sequence[ResponseTerm],
    position: tuple[int, int] | None,
    direction: Direction,
    examples: int,
    seed: int,
    steps: int | None,
    learning_rate: float | None,
    prior_weight: float | None,
    listen: bool,
) -> pb.MaximiseRequest:
    """The request of `Client.maximise`.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    if direction not in _DIRECTIONS:
        raise invalid("direction", f"{direction!r}; give one of {', '.join(_DIRECTIONS)}")
    if not 1 <= examples < _UINT32:
        raise invalid("examples", f"{examples}; give 1 or more")
    places = {"seed": (seed, _UINT64), "steps": (steps or 0, _UINT32)}
    places |= {f"position[{number}]": (place, _UINT32) for number, place in enumerate(position or ())}
    places |= {f"terms[{number}].channel": (term.channel or 0, _UINT32) for number, term in enumerate(terms)}
    for name, (value, above) in places.items():
        if not 0 <= value < above:
            raise invalid(name, f"{value}; give 0 or more, below {above}")
    return pb.MaximiseRequest(
        terms=[pb.ResponseTerm(layer=term.layer, channel=term.channel, weight=term.weight) for term in terms],
        position=None if position is None else pb.MapPosition(frame=position[0], band=position[1]),
        direction=_DIRECTIONS[direction],
        examples=examples,
        seed=seed,
        steps=steps,
        learning_rate=learning_rate,
        prior_weight=prior_weight,
        listen=listen,
    )


def maximisation(
    stream: Iterable[pb.MaximiseResponse],
    asked: pb.MaximiseRequest,
    terms: Sequence[ResponseTerm],
    direction: Direction,
    on_progress: Callable[[MaximisationProgress], None] | None,
) -> Maximisation:
    """What the stream answers, once it has ended; progress is reported as it comes.

    Raises:
        ServiceError: the stream breaks the contract.
    """
    settings: pb.MaximisationSettings | None = None
    found: dict[str, MaximisedExample] = {}
    for event in stream:
        match event.WhichOneof("event"):
            case "settings":
                settings = event.settings
            case "progress":
                made = event.progress
                if on_progress is not None:
                    on_progress(MaximisationProgress(tuple(made.step), tuple(made.response), tuple(made.prior)))
            case "example":
                found[str(event.example.index + 1)] = _example(event.example)
    if settings is None or len(found) != settings.examples:
        raise ServiceError(f"the service ended its answer after {len(found)} examples")
    return Maximisation(
        bundle=wire.bundle_reference(settings.bundle),
        response=_in_words(terms, asked),
        direction=direction,
        seed=asked.seed,
        steps=settings.steps,
        learning_rate=wire.decimal(settings.learning_rate),
        prior_weight=wire.decimal(settings.prior_weight),
        threshold=wire.decimal(settings.threshold),
        axes=wire.axes(settings.axes, 0),
        examples=found,
    )


def _in_words(terms: Sequence[ResponseTerm], asked: pb.MaximiseRequest) -> str:
    words = " + ".join(map(str, terms or [ResponseTerm()]))
    if not asked.HasField("position"):
        return words
    return f"{words} at frame {asked.position.frame}, band {asked.position.band}"


def _example(message: pb.MaximisationExample) -> MaximisedExample:
    return MaximisedExample(
        initial_response=message.initial_response,
        response=message.response,
        initial_prior=message.initial_prior,
        prior=message.prior,
        initial_probability=message.initial_probability,
        probability=message.probability,
        initial_log_mel=wire.time_frequency_map(message.initial_log_mel),
        log_mel=wire.time_frequency_map(message.log_mel),
        initial_audio=wire.waveform(message, "initial_audio"),
        audio=wire.waveform(message, "audio"),
    )

"""Maximising: arguments to messages, and the events of the stream to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from phonoscope.v1 import maximisation_pb2 as pb

from phonoscope_client import arguments
from phonoscope_client.errors import ServiceError, invalid
from phonoscope_client.messages import wire
from phonoscope_client.messages.listener import ASKED_OF_THE_FIRST, DETECTOR, Choice
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
    choice: Choice = ASKED_OF_THE_FIRST,
    map_precision: str = "float32",
) -> pb.MaximiseRequest:
    """The request of `Client.maximise`.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    return pb.MaximiseRequest(
        terms=_terms(terms),
        position=None if position is None else _position(position),
        direction=arguments.choice("direction", direction, _DIRECTIONS),
        examples=arguments.whole_number("examples", examples, 1, _UINT32),
        seed=arguments.whole_number("seed", seed, 0, _UINT64),
        steps=None if steps is None else arguments.whole_number("steps", steps, 0, _UINT32),
        learning_rate=_number("learning_rate", learning_rate, "a number above 0, to 1"),
        prior_weight=_number("prior_weight", prior_weight, "a number from 0 to 10"),
        listen=arguments.flag("listen", listen),
        map_precision=wire.precision(map_precision),
        **choice.fields(),
    )


def _terms(terms: Sequence[ResponseTerm]) -> list[pb.ResponseTerm]:
    wanted = 'a list of terms, such as [ResponseTerm("fc7", 12)]'
    messages = []
    for number, term in enumerate(arguments.several("terms", terms, wanted)):
        if not isinstance(term, ResponseTerm):
            raise invalid(f"terms[{number}]", f"{arguments.shown(term)}; give {wanted}")
        channel = term.channel
        messages.append(
            pb.ResponseTerm(
                layer=arguments.text(f"terms[{number}].layer", term.layer),
                channel=None if channel is None else _place(f"terms[{number}].channel", channel),
                weight=arguments.number(f"terms[{number}].weight", term.weight, "a number"),
            )
        )
    return messages


def _position(position: tuple[int, int]) -> pb.MapPosition:
    wanted = "a frame and a band, such as (20, 11)"
    listed = arguments.several("position", position, wanted)
    if len(listed) != 2:
        raise invalid("position", f"{arguments.shown(position)}; give {wanted}")
    return pb.MapPosition(frame=_place("position[0]", listed[0]), band=_place("position[1]", listed[1]))


def _place(name: str, value: object) -> int:
    return arguments.whole_number(name, value, 0, _UINT32)


def _number(name: str, value: float | None, wanted: str) -> float | None:
    return None if value is None else arguments.number(name, value, wanted)


class MaximisationReading:
    """What the stream answers, event by event; progress is reported as it comes.

    Args:
        asked: the request.
        terms: what is to respond.
        direction: "maximise" or "minimise".
        on_progress: told how far it is.
    """

    def __init__(
        self,
        asked: pb.MaximiseRequest,
        terms: Sequence[ResponseTerm],
        direction: Direction,
        on_progress: Callable[[MaximisationProgress], None] | None,
    ) -> None:
        self._asked, self._terms, self._direction, self._on_progress = asked, terms, direction, on_progress
        self._settings: pb.MaximisationSettings | None = None
        self._found: dict[str, MaximisedExample] = {}

    def take(self, event: pb.MaximiseResponse) -> None:
        """Takes the next event."""
        match event.WhichOneof("event"):
            case "settings":
                self._settings = event.settings
            case "progress":
                made = event.progress
                if self._on_progress is not None:
                    self._on_progress(MaximisationProgress(tuple(made.step), tuple(made.response), tuple(made.prior)))
            case "example":
                self._found[str(event.example.index + 1)] = _example(event.example)

    def result(self) -> Maximisation:
        """What they make, once the stream has ended.

        Raises:
            ServiceError: it breaks the contract.
        """
        settings = self._settings
        if settings is None or len(self._found) != settings.examples:
            raise ServiceError(f"the service ended its answer after {len(self._found)} examples")
        return Maximisation(
            bundle=wire.bundle_reference(settings.bundle),
            response=_in_words(self._terms, self._asked),
            direction=self._direction,
            seed=self._asked.seed,
            steps=settings.steps,
            learning_rate=wire.decimal(settings.learning_rate),
            prior_weight=wire.decimal(settings.prior_weight),
            threshold=wire.decimal(settings.threshold),
            listener=settings.listener or DETECTOR,
            label=settings.label or None,
            contrast=settings.contrast or None,
            axes=wire.axes(settings.axes, 0),
            examples=self._found,
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

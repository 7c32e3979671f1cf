"""What is to be maximised: a question, whether the detector has what it names, and the tensors it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.errors import InvalidRequest, Violation, shown
from phonoscope_serving.rpcs.maximise.settings import DIRECTIONS, MaximisationSettings, Maximiser
from phonoscope_serving.tensors import Array, Floats

EVERYWHERE = (-1, -1)  # instead of a frame and a band


@dataclass(frozen=True)
class ResponseTerm:
    """One part of a response."""

    layer: str
    channel: int | None  # None: the mean of all
    weight: float


@dataclass(frozen=True)
class MaximisationQuestion:
    """What is to respond, and how it is sought."""

    terms: tuple[ResponseTerm, ...]
    position: tuple[int, int] | None  # frame and band; None: the mean
    direction: str  # one of `DIRECTIONS`
    examples: int
    seed: int
    settings: MaximisationSettings
    listen: bool  # also return sound
    half_maps: bool = False  # return maps in two bytes a value


def check(known: Maximiser, question: MaximisationQuestion) -> None:
    """Whether the detector has what is asked for.

    Raises:
        InvalidRequest: a layer, a channel or the position does not exist.
    """
    wrong = [
        violation
        for number, term in enumerate(question.terms)
        for violation in _term_violations(known, term, f"terms[{number}]")
    ]
    wrong += _position_violations(known, question)
    if wrong:
        raise InvalidRequest(wrong)


def _term_violations(known: Maximiser, term: ResponseTerm, field: str) -> Iterator[Violation]:
    widths = known.channels
    if term.layer not in widths:
        yield Violation(f"{field}.layer", f"is {shown(term.layer)}; the detector has {', '.join(widths)}")
    elif term.channel is not None and term.channel >= widths[term.layer]:
        yield Violation(f"{field}.channel", f"is {term.channel}; {term.layer} has 0 to {widths[term.layer] - 1}")


def _position_violations(known: Maximiser, question: MaximisationQuestion) -> Iterator[Violation]:
    if question.position is None:
        return
    layers = {term.layer for term in question.terms}
    if len(layers) != 1 or not layers <= known.map_sizes.keys():
        yield Violation("position", f"needs terms of one of the layers {', '.join(known.map_sizes)}, and of no other")
        return
    sizes = known.map_sizes[layers.pop()]
    for name, place, size in zip(("frame", "band"), question.position, sizes, strict=True):
        if place >= size:
            yield Violation(f"position.{name}", f"is {place}; the layer has 0 to {size - 1}")


def row_settings(known: Maximiser, question: MaximisationQuestion) -> dict[str, Array]:
    """What stays the same from call to call."""
    return {
        "steps": int_column(question.settings.steps),
        "learning_rate": float_column(question.settings.learning_rate),
        "prior_weight": float_column(question.settings.prior_weight),
        "sign": float_column(1 if question.direction == DIRECTIONS[0] else -1),
        "weights": unit_weights(known.channels, question.terms),
        "position": map_position(question),
    }


def unit_weights(widths: Mapping[str, int], terms: Sequence[ResponseTerm]) -> Floats:
    """`[1, C]` what every channel of every layer counts; terms that meet add up."""
    parts = {layer: np.zeros((1, width), np.float32) for layer, width in widths.items()}
    for term in terms:
        if term.channel is None:
            parts[term.layer] += term.weight / widths[term.layer]
        else:
            parts[term.layer][:, term.channel] += term.weight
    return np.concatenate(list(parts.values()), axis=1)


def map_position(question: MaximisationQuestion) -> Array:
    """Int32 `[1, 2]` the frame and the band, or what stands for the mean."""
    return np.array([question.position or EVERYWHERE], np.int32)


def int_column(value: int) -> Array:
    """One row's int32 `[1, 1]`."""
    return np.full((1, 1), value, np.int32)


def float_column(value: float) -> Floats:
    """One row's float32 `[1, 1]`."""
    return np.full((1, 1), value, np.float32)

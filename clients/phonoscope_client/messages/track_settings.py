"""What `Client.explain_track` asks, as the contract's settings."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from phonoscope.v1 import explanation_pb2, track_pb2

from phonoscope_client import arguments
from phonoscope_client.errors import invalid
from phonoscope_client.messages.curve import decision
from phonoscope_client.messages.explanation import MASKINGS, region_choice
from phonoscope_client.messages.listener import Choice
from phonoscope_client.messages.track import LEVELS
from phonoscope_client.messages.wire import precision
from phonoscope_client.results.parts import Label

_LABEL_NUMBERS: dict[Label, explanation_pb2.Label] = {
    "vocal": explanation_pb2.LABEL_VOCAL,
    "instrumental": explanation_pb2.LABEL_INSTRUMENTAL,
}
_SECONDS = "seconds from the track's start, such as 34.5"


def moments(
    every_s: float | None,
    where_label: Label | None,
    where_it_changes: bool,
    most_certain: int,
    least_certain: int,
    at_s: Collection[float],
) -> track_pb2.TrackMoments:
    """Which moments are explained.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    return track_pb2.TrackMoments(
        every_s=None if every_s is None else _positive("every_s", every_s),
        **_where(where_label),
        where_it_changes=arguments.flag("where_it_changes", where_it_changes),
        most_certain=arguments.whole_number("most_certain", most_certain, 0, 2**32),
        least_certain=arguments.whole_number("least_certain", least_certain, 0, 2**32),
        at_s=[arguments.moment(each) for each in arguments.several("at_s", at_s, f"several {_SECONDS}")],
    )


def _where(label: Label | None) -> dict[str, Any]:
    """The field that holds a label: by number, which services of before know, or else by name."""
    if label is None:
        return {}
    name = arguments.text("where_label", label, "the name of a label")
    return {"where_label": _LABEL_NUMBERS[name]} if name in _LABEL_NUMBERS else {"where_label_name": name}


def settings(
    chosen: track_pb2.TrackMoments,
    rule: str | None,
    alpha: float | Literal["keep-label"] | None,
    maximum_area: float | None,
    masking: str,
    trust: str,
    control_seed: int | None,
    median_filter_s: float,
    threshold: float | None,
    minimum_s: float,
    from_s: float,
    spectrogram: bool,
    maps: bool,
    listen: bool,
    outside_db: float | None,
    choice: Choice,
    map_precision: str = "float32",
) -> track_pb2.TrackSettings:
    """All that is asked, but for how the sound comes.

    Raises:
        InvalidInputError: an argument is of no use to any service.
    """
    return track_pb2.TrackSettings(
        moments=chosen,
        region=region_choice(alpha, maximum_area),
        masking=arguments.choice("masking", masking, MASKINGS),
        trust=arguments.choice("trust", trust, LEVELS),
        control_seed=None if control_seed is None else arguments.whole_number("control_seed", control_seed, 0, 2**31),
        decision=decision(median_filter_s, threshold, minimum_s),
        from_s=_not_negative("from_s", from_s),
        spectrogram=arguments.flag("spectrogram", spectrogram),
        maps=arguments.flag("maps", maps),
        map_precision=precision(map_precision),
        listen=arguments.flag("listen", listen),
        outside_db=None if outside_db is None else arguments.number("outside_db", outside_db, "0 to 120 decibels"),
        rule="" if rule is None else arguments.text("rule", rule),
        **choice.fields(),
    )


def _positive(name: str, value: float) -> float:
    found = arguments.number(name, value, "a positive number of seconds")
    if found <= 0:
        raise invalid(name, f"{found:g}; give a positive number of seconds")
    return found


def _not_negative(name: str, value: float) -> float:
    found = arguments.number(name, value, _SECONDS)
    if found < 0:
        raise invalid(name, f"{found:g}; give 0 or more {_SECONDS}")
    return found

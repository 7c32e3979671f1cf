"""What is to respond: a weighted sum of a detector's units (Mishra et al. 2019, section 2), and how people write it.

Terms with commas between them, `LAYER[:CHANNEL][@FRAMExBAND][*WEIGHT]`; the weight may also come first, `WEIGHT*LAYER`:

    output                  the last unit, before its sigmoid
    fc7:12                  one unit
    mp6                     a layer's mean
    conv5:3@16x10           one position of one map; without a position, the map's mean
    fc7:12*0.5,fc8*-1       several layers
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from phonoscope_client.errors import invalid

OUTPUT = "output"  # what people call the unit that the graphs call "logit"
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?"
_TERM = re.compile(
    rf"(?:(?P<first>{_NUMBER})\*)?(?P<layer>[a-z][a-z0-9]*)(?::(?P<channel>[0-9]+))?"
    rf"(?:@(?P<frame>[0-9]+)x(?P<band>[0-9]+))?(?:\*(?P<last>{_NUMBER}))?"
)


@dataclass(frozen=True)
class ResponseTerm:
    """One part of a response.

    Attributes:
        layer: name of a layer, or "logit", the output before its sigmoid.
        channel: one of its channels or units, from 0; None for the mean of all.
        weight: what it counts.
    """

    layer: str = "logit"
    channel: int | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        """In words: "output", "0.5 · fc7[3]"."""
        layer = OUTPUT if self.layer == "logit" else self.layer
        unit = layer if self.channel is None else f"{layer}[{self.channel}]"
        return unit if self.weight == 1 else f"{self.weight:g} · {unit}"


@dataclass(frozen=True)
class Response:
    """What is to respond, as `Client.maximise` takes it.

    Attributes:
        terms: added up; none for the output.
        position: frame and band in a layer's maps; None for the mean of the map.
    """

    terms: tuple[ResponseTerm, ...] = ()
    position: tuple[int, int] | None = None


def parsed(text: str) -> Response:
    """The response that a text describes.

    Raises:
        InvalidInputError: it breaks the grammar above, or names two positions.
    """
    return added_up(_term(each.strip()) for each in text.split(","))


def added_up(responses: Iterable[Response], position: tuple[int, int] | None = None) -> Response:
    """All terms of some responses as one, at the one position that they or the caller name.

    Raises:
        InvalidInputError: they name several positions.
    """
    listed = tuple(responses)
    named = {each for each in (position, *(response.position for response in listed)) if each is not None}
    if len(named) > 1:
        places = " and ".join(f"{frame}x{band}" for frame, band in sorted(named))
        raise invalid("position", f"{places}; give one for all terms")
    return Response(tuple(term for response in listed for term in response.terms), next(iter(named), None))


def _term(text: str) -> Response:
    found = _TERM.fullmatch(text)
    if found is None or None not in (found["first"], found["last"]):
        raise invalid("response", f"{text!r} is no unit; write output, fc7, fc7:12, conv5:3@16x10 or fc7:12*0.5")
    layer = "logit" if found["layer"] == OUTPUT else found["layer"]
    channel = None if found["channel"] is None else int(found["channel"])
    weight = float(found["first"] or found["last"] or 1)
    position = None if found["frame"] is None else (int(found["frame"]), int(found["band"]))
    return Response((ResponseTerm(layer, channel, weight),), position)

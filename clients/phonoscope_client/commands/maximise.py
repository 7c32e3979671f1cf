"""`phonoscope maximise`: its options, and what it does."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import maximisation_text
from phonoscope_client.commands.summary import summary, write_sounds
from phonoscope_client.errors import ServiceError
from phonoscope_client.files import write_text
from phonoscope_client.results.maximisation import AscentProgress, Direction, Maximisation, ResponseTerm

OUTPUT = "output"  # what people call the unit that the graphs call "logit"
DIRECTIONS: dict[str, Direction] = {"max": "maximise", "min": "minimise"}


@dataclass(frozen=True)
class Wish:
    """What is asked for, as `Client.maximise` takes it."""

    terms: tuple[ResponseTerm, ...] = ()
    position: tuple[int, int] | None = None
    direction: Direction = "maximise"
    examples: int = 4
    seed: int = 0
    steps: int | None = None
    learning_rate: float | None = None
    prior_weight: float | None = None


def response_term(text: str) -> ResponseTerm:
    """A layer, a unit of it, or either with a weight: "output", "fc7:12", "0.5*conv5:3".

    Raises:
        argparse.ArgumentTypeError: it is none of them.
    """
    found = re.fullmatch(r"(?:([-+]?[0-9.]+)\*)?([a-z][a-z0-9]*)(?::(\d+))?", text)
    try:
        weight = 1.0 if found is None or found[1] is None else float(found[1])
    except ValueError:
        found = None
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no unit; write output, fc7, fc7:12 or 0.5*conv5:3")
    layer = "logit" if found[2] == OUTPUT else found[2]
    return ResponseTerm(layer, None if found[3] is None else int(found[3]), weight)


def place(text: str) -> tuple[int, int]:
    """A frame and a band: "20,11".

    Raises:
        argparse.ArgumentTypeError: it is no pair of whole numbers.
    """
    found = re.fullmatch(r"(\d+),(\d+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no place; write FRAME,BAND, such as 20,11")
    return int(found[1]), int(found[2])


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope maximise`."""
    parser.add_argument(
        "--layer",
        dest="terms",
        type=response_term,
        action="append",
        metavar="UNIT",
        help="output (default), a layer's mean (fc7), a unit (fc7:12), with a weight (=-0.5*fc7:12); repeat to add up",
    )
    parser.add_argument(
        "--at", type=place, metavar="FRAME,BAND", help="one place of a layer's maps, instead of the mean"
    )
    parser.add_argument(
        "--sign", choices=[*DIRECTIONS], default="max", help="largest or smallest (default: %(default)s)"
    )
    parser.add_argument("--examples", type=int, default=4, metavar="N", help="sounds, 1 to 16 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random starts (default: %(default)s)")
    ascent = parser.add_argument_group("ascent", "the bundle's own settings are used for what is left out")
    ascent.add_argument("--steps", type=int, metavar="N", help="0 to 2000")
    ascent.add_argument("--learning-rate", type=float, metavar="R", help="length of a step, above 0 to 1")
    ascent.add_argument("--prior-weight", type=float, metavar="W", help="how much likeness to music counts, 0 to 10")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the sheet, sounds and arrays")


def wish(options: argparse.Namespace) -> Wish:
    """What the options ask for."""
    return Wish(
        tuple(options.terms or ()),
        options.at,
        DIRECTIONS[options.sign],
        options.examples,
        options.seed,
        options.steps,
        options.learning_rate,
        options.prior_weight,
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    found, document = maximise(wish(options), options.out, connection, note=note)
    return document, maximisation_text(found)


def maximise(
    asked: Wish, out: Path | None, connection: Connection, *, note: Note
) -> tuple[Maximisation, dict[str, Any]]:
    """Maximise or minimise a response; write the sheet, sounds, arrays and summary where a folder is given.

    Args:
        asked: what is sought.
        out: the folder; without one no sound is asked for.
        connection: which service answers.
        note: told what is going on.

    Returns:
        What was found, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    found: Maximisation | None = None
    with connection.open(note) as client:
        for event in client.maximise(**vars(asked), listen=out is not None):
            if isinstance(event, AscentProgress):
                note(_progress(event.step, event.response))
            else:
                found = event
    if found is None:
        raise ServiceError("the service ended its answer without a result")
    return found, summary(found.to_json(), partial(_write, found=found), out, started_s)


def _progress(steps: Sequence[int], responses: Sequence[float]) -> str:
    return f"step {min(steps)}: response {sum(responses) / len(responses):.3f} on average"


def _write(out: Path, found: Maximisation) -> dict[str, Path]:
    from phonoscope_client.reports.maximisation import listening_gain, maximisation_page  # noqa: PLC0415 - Matplotlib loads slowly

    files = {"report": out / "maximised.html", "arrays": out / "maximised.npz"}
    write_text(files["report"], maximisation_page(found))
    found.save(files["arrays"])
    sounds = found.sounds
    return files | write_sounds(out, sounds, lambda name: listening_gain(sounds[name]))

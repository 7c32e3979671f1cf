"""`phonoscope maximise`: its options, and what it does."""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import maximisation_text
from phonoscope_client.commands.song_options import add_listener
from phonoscope_client.commands.summary import must_be_able_to_draw, summary, write_sounds
from phonoscope_client.errors import InvalidInputError
from phonoscope_client.files import write_text
from phonoscope_client.results import response as responses
from phonoscope_client.results.maximisation import Direction, Maximisation, MaximisationProgress
from phonoscope_client.results.response import Response, ResponseTerm

DIRECTIONS: dict[str, Direction] = {"max": "maximise", "min": "minimise"}


@dataclass(frozen=True)
class MaximisationOptions:
    """What is to respond and how it is optimised, as `Client.maximise` takes it."""

    terms: tuple[ResponseTerm, ...] = ()
    position: tuple[int, int] | None = None
    direction: Direction = "maximise"
    examples: int = 4
    seed: int = 0
    steps: int | None = None
    learning_rate: float | None = None
    prior_weight: float | None = None
    listener: str | None = None
    label: str | None = None
    contrast: str | None = None


def response(text: str) -> Response:
    """What is to respond, in the grammar of `phonoscope_client.results.response`.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return responses.parsed(text)
    except InvalidInputError as error:
        raise argparse.ArgumentTypeError(error.violations[0].description) from error


def position(text: str) -> tuple[int, int]:
    """A frame and a band: "20x11" or "20,11".

    Raises:
        argparse.ArgumentTypeError: it is no pair of whole numbers.
    """
    found = re.fullmatch(r"([0-9]+)[x,]([0-9]+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no place; write FRAMExBAND, such as 20x11")
    return int(found[1]), int(found[2])


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope maximise`."""
    parser.add_argument(
        "--layer",
        dest="responses",
        type=response,
        action="append",
        default=[],
        metavar="UNIT",
        help="output (default), a layer's mean (fc7), a unit (fc7:12), one place of a map (conv5:3@16x10), each with a "
        "weight (fc7:12*0.5); commas between units, or repeat, to add up",
    )
    parser.add_argument(
        "--at", type=position, metavar="FRAMExBAND", help="one place of a layer's maps, instead of the mean"
    )
    parser.add_argument(
        "--sign", choices=[*DIRECTIONS], default="max", help="largest or smallest (default: %(default)s)"
    )
    parser.add_argument("--examples", type=int, default=4, metavar="N", help="sounds, 1 to 16 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random starts (default: %(default)s)")
    add_listener(parser, "without units: the label whose output is to respond (default: the listener's first)")
    optimiser = parser.add_argument_group("optimiser", "the bundle's own settings are used for what is left out")
    optimiser.add_argument("--steps", type=int, metavar="N", help="0 to 2000")
    optimiser.add_argument("--learning-rate", type=float, metavar="R", help="length of a step, above 0 to 1")
    optimiser.add_argument("--prior-weight", type=float, metavar="W", help="how much likeness to music counts, 0 to 10")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the sheet, sounds and arrays")


def maximisation_options(options: argparse.Namespace) -> MaximisationOptions:
    """What the options ask for.

    Raises:
        InvalidInputError: they name several positions.
    """
    asked = responses.added_up(options.responses, options.at)
    return MaximisationOptions(
        asked.terms,
        asked.position,
        DIRECTIONS[options.sign],
        options.examples,
        options.seed,
        options.steps,
        options.learning_rate,
        options.prior_weight,
        options.listener,
        options.label,
        options.contrast,
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    found, document = maximise(maximisation_options(options), options.out, connection, note=note)
    return document, maximisation_text(found)


def maximise(
    asked: MaximisationOptions, out: Path | None, connection: Connection, *, note: Note
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
    must_be_able_to_draw(out)

    def on_progress(made: MaximisationProgress) -> None:
        note(f"step {min(made.step)}: response {sum(made.response) / len(made.response):.3f} on average")

    with connection.open(note) as client:
        found = client.maximise(**vars(asked), listen=out is not None, on_progress=on_progress)
    return found, summary(found.to_json(), partial(_write, found=found), out, started_s)


def _write(out: Path, found: Maximisation) -> dict[str, Path]:
    from phonoscope_client.reports.maximisation import listening_gain, maximisation_page  # noqa: PLC0415 - Matplotlib loads slowly

    files = {"report": out / "maximised.html", "arrays": out / "maximised.npz"}
    write_text(files["report"], maximisation_page(found))
    found.save(files["arrays"])
    sounds = found.sounds
    return files | write_sounds(out, sounds, lambda name: listening_gain(sounds[name]))

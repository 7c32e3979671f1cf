"""`phonoscope invert`: its options, and what it does."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import inversions_text
from phonoscope_client.commands.song_options import NOBODY, add_listener, add_moment, chosen_listener, must_exist
from phonoscope_client.commands.summary import must_be_able_to_draw, summary, write_sounds
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.inversion import Inversions


def layer_names(text: str) -> tuple[str, ...]:
    """Names between commas: "fc8,conv5".

    Raises:
        argparse.ArgumentTypeError: there is none, or one is empty.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of layers; write fc8,conv5")
    return names


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope invert`."""
    add_moment(parser)
    parser.add_argument(
        "--layers",
        type=layer_names,
        default=(),
        metavar="NAMES",
        help="such as fc8,conv5; see phonoscope describe (default: all)",
    )
    add_listener(parser, "whose probability (default: the one predicted)")


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    inversions, document = invert(
        options.song, options.at_s, options.layers, options.out, connection, chosen_listener(options), note=note
    )
    return document, inversions_text(inversions, song=printable(options.song.name))


def invert(
    song: Path,
    at_s: float,
    layers: Sequence[str],
    out: Path | None,
    connection: Connection,
    asked: Mapping[str, str] = NOBODY,
    *,
    note: Note,
) -> tuple[Inversions, dict[str, Any]]:
    """Invert layers at one moment; write the report, sounds, arrays and summary where a folder is given.

    Args:
        song: the recording.
        at_s: the moment, in seconds.
        layers: names of layers; none for all that can be inverted.
        out: the folder; without one no sound is asked for.
        connection: which service answers.
        asked: which listener, label and contrast, where any is named.
        note: told what is going on.

    Returns:
        The inversions, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    must_exist(song)
    name = printable(song.name)
    must_be_able_to_draw(out)
    with connection.open(note) as client:
        note(f"inverting {', '.join(layers) or 'every layer'} for {name} at {at_s:.2f} s ...")
        inversions = client.invert_layers(
            song,
            at_s,
            layers=layers,
            listen=out is not None,
            listener=asked.get("listener"),
            label=asked.get("label"),
            contrast=asked.get("contrast"),
        )
    said = {"song": printable(song), **inversions.to_json()}
    return inversions, summary(said, partial(_write, song=name, inversions=inversions), out, started_s)


def _write(out: Path, song: str, inversions: Inversions) -> dict[str, Path]:
    from phonoscope_client.reports.inversion import (  # noqa: PLC0415 - Matplotlib loads slowly
        inversion_page,
        listening_gain,
    )

    files = {"report": out / "layers.html", "arrays": out / "inversions.npz"}
    write_text(files["report"], inversion_page(inversions, song=song))
    inversions.save(files["arrays"])
    return files | write_sounds(out, inversions.sounds, lambda _: listening_gain(inversions))

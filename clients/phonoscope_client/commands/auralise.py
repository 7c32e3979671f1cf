"""`phonoscope auralise`: its options, and what it does."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import auralisation_text
from phonoscope_client.commands.song_options import add_listener, add_moment, must_exist
from phonoscope_client.commands.summary import must_be_able_to_draw, summary, write_sounds
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.auralisation import Auralisation, Network, Resynthesis


@dataclass(frozen=True)
class Features:
    """Which features are to be heard, as `Client.auralise` takes them."""

    layer: str
    numbers: tuple[int, ...] = ()
    strongest: int | None = None
    network: Network = "tagger"
    resynthesis: Resynthesis = "phase"
    largest_activation_only: bool = False
    listener: str | None = None
    label: str | None = None
    contrast: str | None = None


def feature_numbers(text: str) -> tuple[int, ...]:
    """Numbers between commas: "1,7,38".

    Raises:
        argparse.ArgumentTypeError: one of them is no whole number of at least 0.
    """
    numbers = [number.strip() for number in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of features; write 1,7,38")
    return tuple(map(int, numbers))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope auralise`."""
    add_moment(parser, default_s=2.0, where=", in the clip's middle (default: %(default)g, the song's beginning)")
    parser.add_argument("--layer", required=True, metavar="NAME", help="such as conv3; see phonoscope describe")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--features", type=feature_numbers, default=(), metavar="NUMBERS", help="such as 1,7,38, counted from 0"
    )
    which.add_argument("--strongest", type=int, metavar="K", help="instead, the K that answer most strongly (8)")
    add_listener(parser, "the label that the answer is to name (default: the one predicted)")
    parser.add_argument("--network", choices=["tagger", "detector"], default="tagger", help="(default: %(default)s)")
    parser.add_argument(
        "--resynthesis",
        choices=["phase", "spectrum"],
        default="phase",
        help="the recording lends pictures its phase (phase; default), or its spectrum is multiplied by them",
    )
    parser.add_argument(
        "--largest-activation-only", action="store_true", help="of each feature's map keep one activation, not all"
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    features = Features(
        options.layer,
        options.features,
        options.strongest,
        options.network,
        options.resynthesis,
        options.largest_activation_only,
        options.listener,
        options.label,
        options.contrast,
    )
    auralisation, document = auralise(options.song, options.at_s, features, options.out, connection, note=note)
    return document, auralisation_text(auralisation, song=printable(options.song.name))


def auralise(
    song: Path, at_s: float, features: Features, out: Path | None, connection: Connection, *, note: Note
) -> tuple[Auralisation, dict[str, Any]]:
    """Make features heard at one moment; write the report, sounds, arrays and summary where a folder is given.

    Args:
        song: the recording.
        at_s: the moment, in seconds.
        features: which.
        out: the folder; without one no sound is asked for.
        connection: which service answers.
        note: told what is going on.

    Returns:
        The auralisation, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    must_exist(song)
    name = printable(song.name)
    must_be_able_to_draw(out)
    with connection.open(note) as client:
        whose = features.listener or features.network
        note(f"listening with {features.layer} of the {whose} to {name} around {at_s:.2f} s ...")
        auralisation = client.auralise(
            song,
            at_s,
            features.layer,
            features=features.numbers,
            strongest=features.strongest,
            network=features.network,
            resynthesis=features.resynthesis,
            largest_activation_only=features.largest_activation_only,
            listener=features.listener,
            label=features.label,
            contrast=features.contrast,
            listen=out is not None,
        )
    said = {"song": printable(song), **auralisation.to_json()}
    return auralisation, summary(said, partial(_write, song=name, auralisation=auralisation), out, started_s)


def _write(out: Path, song: str, auralisation: Auralisation) -> dict[str, Path]:
    from phonoscope_client.reports.auralisation import (  # noqa: PLC0415 - Matplotlib loads slowly
        auralisation_page,
        listening_gains,
    )

    files = {"report": out / "features.html", "arrays": out / "auralisation.npz"}
    write_text(files["report"], auralisation_page(auralisation, song=song))
    auralisation.save(files["arrays"])
    return files | write_sounds(out, auralisation.sounds, listening_gains(auralisation).__getitem__)

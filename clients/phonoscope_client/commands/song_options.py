"""Which song a command is about, and which moment of it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from phonoscope_client.transport.audio import readable

FORMATS = "WAV, FLAC, MP3, AAC or ALAC in M4A, Ogg (Vorbis, Opus), WebM, Matroska, AIFF, CAF or W64"


def seconds(text: str) -> float:
    """A moment as seconds: "34", "34.5" or "1:02.5".

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    found = re.fullmatch(r"(?:(\d+):(?=[0-5]?\d(?:\.|$)))?(\d+(?:\.\d+)?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 34.5 or 1:02.5")
    return 60 * int(found[1] or 0) + float(found[2])


def add_moment(parser: argparse.ArgumentParser, *, default_s: float | None = None, where: str = "") -> None:
    """A song, a moment in it, and where to write what is said of that.

    Args:
        parser: added to.
        default_s: the moment, where none is given; None: one must be.
        where: what the moment is, for the help.
    """
    parser.add_argument("song", type=Path, metavar="SONG", help=f"{FORMATS}, of any length")
    parser.add_argument(
        "--at",
        dest="at_s",
        type=seconds,
        required=default_s is None,
        default=default_s,
        metavar="TIME",
        help=f"seconds, or minutes:seconds{where}",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report, sounds and arrays")


def must_exist(song: Path) -> None:
    """Refuses a song that is not there, before a service is started for it.

    Raises:
        InvalidInputError: there is no such file, or it is a folder.
    """
    readable(song)

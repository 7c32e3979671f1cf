"""The options of `phonoscope batch`."""

from __future__ import annotations

import argparse
from pathlib import Path

from phonoscope_client.commands.song_options import add_listener, add_region
from phonoscope_client.commands.track.options import LABEL, add_moments, add_segments

ASKS = ("curve", "segments", "explain")
WORKERS = 4


def asked(text: str) -> tuple[str, ...]:
    """What to ask for, between commas.

    Raises:
        argparse.ArgumentTypeError: a part of it is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if unknown := [name for name in names if name not in ASKS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} cannot be asked for; write some of {','.join(ASKS)}")
    return names


def count(text: str) -> int:
    """A whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope batch`."""
    parser.add_argument(
        "input", metavar="INPUT", help="a folder; a manifest .csv, .jsonl or .parquet; or - for paths on standard input"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the catalogue")
    parser.add_argument(
        "--ask",
        type=asked,
        default=ASKS,
        metavar="WHAT",
        help=f"some of {','.join(ASKS)}: what there are to be rows of (default: all)",
    )
    add_listener(parser, LABEL)
    add_moments(parser)
    add_segments(parser)
    add_region(parser, sound=False)
    _add_running(parser)


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask for what DIR lacks (default); --no-resume refuses a DIR that holds a catalogue",
    )
    group.add_argument("--retry-errors", action="store_true", help="ask about files that failed once more, too")
    group.add_argument(
        "--engine",
        choices=["local", "ray"],
        default="local",
        help="what asks: threads of this process (default), or actors on the Ray cluster that RAY_ADDRESS names, else "
        "on one of this machine; each has a service of its own, or asks --server",
    )
    group.add_argument(
        "--workers",
        type=count,
        default=WORKERS,
        metavar="N",
        help="files asked about at once; a service that is busy says when to come back (default: %(default)s)",
    )
    group.add_argument(
        "--part-files", type=count, default=64, metavar="N", help="files in a part, at most (default: %(default)s)"
    )
    group.add_argument(
        "--part-seconds",
        type=float,
        default=30.0,
        metavar="S",
        help="a part is written at least as often; a job that is killed asks again for what is in none "
        "(default: %(default)g)",
    )

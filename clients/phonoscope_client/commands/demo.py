"""`phonoscope demo`: its options, and what it does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from phonoscope_client import demo
from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.explain import Region, explain
from phonoscope_client.commands.plain_text import explanation_text
from phonoscope_client.commands.song_options import seconds
from phonoscope_client.files import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope demo`."""
    out = Path("out/demo")
    parser.add_argument("--out", type=Path, metavar="DIR", default=out, help="folder (default: %(default)s)")
    parser.add_argument("--song", type=Path, metavar="SONG", help="another song")
    parser.add_argument("--at", dest="at_s", type=seconds, metavar="TIME", help="another moment")


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    song: Path = options.song or demo.SONG
    at_s = demo.AT_S if options.at_s is None else options.at_s
    explanation, document = explain(song, at_s, options.out, Region(), connection, note=note)
    return document, explanation_text(explanation, song=printable(song.name))

"""What `phonoscope studio` is asked, and does."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from phonoscope_client import aio
from phonoscope_client.client import Client
from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.song_options import FORMATS, must_exist
from phonoscope_client.commands.studio.lasting_service import lasting_service
from phonoscope_client.files import printable

_PATIENCE_S = 1.0  # with a service that is away: the page says so, and asks again, likewise of one that is busy


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope studio`."""
    parser.add_argument("songs", type=Path, nargs="*", metavar="SONG", help=f"{FORMATS}; more may be dropped later")
    page = parser.add_argument_group("page")
    page.add_argument("--no-browser", action="store_true", help="do not open it, only say where it is")
    page.add_argument("--port", type=int, default=0, metavar="N", help="serve it there (default: any that is free)")
    page.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="serve it on another address of this machine: whoever knows the token can then open it from outside, and "
        "all on the way can read along (default: %(default)s, this machine alone)",
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Serves the studio until it is interrupted; what it was, as one JSON document, and as text for a person."""
    from phonoscope_client.studio.server import Place, serve  # noqa: PLC0415 - an extra that others do without

    for song in options.songs:
        must_exist(song)
    place = Place(options.host, options.port, browser=not options.no_browser)
    if not place.is_loopback:
        note(f"warning: {place.host} can be reached from other machines, in the clear; whoever has the token is let in")
    with connection.where(note, own=lasting_service) as reached:
        with Client(**reached) as client:  # which waits for a service that is only just starting
            bundle = client.describe()
        serve(
            partial(aio.Client, **reached, patience_s=_PATIENCE_S, retry_busy=False),
            bundle=bundle,
            server=reached["address"],
            songs=options.songs,
            place=place,
            opened=_open,
        )
    return {"songs": [printable(song) for song in options.songs], "files": {}}, "The studio has ended."


def _open(address: str) -> None:
    print(f"open {address}\nCtrl-C ends the studio.", flush=True)

"""`phonoscope predict`: its options, and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import curve_text
from phonoscope_client.commands.song_options import FORMATS, NOBODY, add_listener, chosen_listener, must_exist
from phonoscope_client.commands.summary import must_be_able_to_draw
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.curve import Curve


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope predict`."""
    parser.add_argument("song", type=Path, metavar="SONG", help=f"{FORMATS}; at most 64 MiB and 1200 s")
    add_listener(parser, "whose curve (default: the first of two, or the most probable of more)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the page and the arrays")


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    asked = chosen_listener(options)
    curve, document = predict(options.song, options.out, connection, asked, note=note)
    return document, curve_text(curve, song=printable(options.song.name))


def predict(
    song: Path, out: Path | None, connection: Connection, asked: Mapping[str, str] = NOBODY, *, note: Note
) -> tuple[Curve, dict[str, Any]]:
    """The curve of a whole recording; write its page and arrays where a folder is given.

    Returns:
        The curve, and the same as one JSON document.
    """
    must_exist(song)
    must_be_able_to_draw(out)
    with connection.open(note) as client:
        note(f"listening to {printable(song.name)} ...")
        curve = client.predict(
            song, listener=asked.get("listener"), label=asked.get("label"), contrast=asked.get("contrast")
        )
    document = {"song": printable(song), **curve.to_json(), "files": {}}
    if out is not None:
        document["files"] = _write(out, song, curve)
    return curve, document


def _write(out: Path, song: Path, curve: Curve) -> dict[str, str]:
    from phonoscope_client.reports.curve import curve_page  # noqa: PLC0415 - Matplotlib loads slowly

    out.mkdir(parents=True, exist_ok=True)
    files = {"report": out / "curve.html", "arrays": out / "curve.npz"}
    write_text(files["report"], curve_page(curve, song=song))
    curve.save(files["arrays"])
    return {name: printable(path) for name, path in files.items()}

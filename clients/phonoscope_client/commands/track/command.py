"""What `phonoscope track` does."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import track_text
from phonoscope_client.commands.song_options import must_exist
from phonoscope_client.commands.summary import must_be_able_to_draw
from phonoscope_client.commands.track.options import asked, most_trust
from phonoscope_client.errors import invalid
from phonoscope_client.exports import formats
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.track import Track, TrackProgress
from phonoscope_client.results.wording import clock

Progress = Callable[[TrackProgress], None]


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    started_s = time.monotonic()
    _must_be_possible(options)
    name = printable(options.song.name)
    with connection.open(note) as client:
        note(f"listening to {name} ...")
        trust = options.trust or most_trust(client.describe(), options.listener)
        with _progress_bar(quiet=options.quiet) as on_progress:
            question = {**_asked(options), "trust": trust, "on_progress": on_progress}
            track = client.explain_track(options.song, **question).collect()
    if not track.summary.complete:
        note(f"time ran out; go on with --from {clock(track.summary.heard_until_s)}")
    document = {"song": printable(options.song), **track.to_json(), "files": {}}
    if options.out is not None:
        note(f"writing {printable(options.out)} ...")
        files = _write(track, options)
        document["files"] = {each: printable(path) for each, path in files.items()}
    document["seconds_after_install"] = round(time.monotonic() - started_s, 3)
    if options.out is not None:
        write_text(files["summary"], json.dumps(document) + "\n")
    return document, track_text(track, song=name)


def _must_be_possible(options: argparse.Namespace) -> None:
    """Refuses, before a service is started, what would fail at the end.

    Raises:
        InvalidInputError: there is no such song, or no folder for files.
        MissingExtraError: a page or a format needs what is not installed.
    """
    must_exist(options.song)
    if options.export and options.out is None:
        raise invalid("--export", "there is no folder for the files; give --out DIR as well")
    formats.must_be_known(options.export)
    if not options.no_page:
        must_be_able_to_draw(options.out)


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The options as `Client.explain_track` takes them."""
    shown = options.out is not None and not options.no_page
    return {
        **asked(options),
        "from_s": options.from_s,
        "spectrogram": shown,
        "maps": shown,
        "map_precision": options.map_precision,
        "listen": shown,
        "outside_db": options.outside_db if shown else None,
        "timeout_s": options.timeout_s,
    }


@contextmanager
def _progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """A bar of seconds heard on a terminal's standard error; elsewhere, and where it is to be quiet, none."""
    with tqdm(unit=" s", desc="heard", disable=True if quiet else None) as bar:

        def on_progress(made: TrackProgress) -> None:
            bar.total = made.duration_s and round(made.duration_s, 1)
            bar.set_postfix_str(f"{made.explained} explained", refresh=False)
            bar.update(round(made.heard_s - bar.n, 1))

        yield on_progress


def _write(track: Track, options: argparse.Namespace) -> dict[str, Path]:
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    files = {"summary": out / "track.json"}
    if not options.no_page:
        from phonoscope_client.reports.track.page import track_page  # noqa: PLC0415 - Matplotlib loads slowly

        files |= {"report": out / "track.html", "arrays": out / "track.npz"}
        write_text(files["report"], track_page(track, song=options.song))
        track.save(files["arrays"])
    return files | formats.write(track, printable(options.song.name), options.export, out)

"""`phonoscope explain`: its options, and what it does."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import explanation_text
from phonoscope_client.commands.song_options import add_listener, add_moment, add_region, chosen_alpha, must_exist
from phonoscope_client.commands.summary import must_be_able_to_draw, summary, write_sounds
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.explanation import Evidence, Explanation, Masking


@dataclass(frozen=True)
class Region:
    """How the region of an explanation is chosen and made to sound, as `Client.explain` takes it."""

    rule: str | None = None
    alpha: float | Literal["keep-label"] | None = None
    maximum_area: float | None = None
    masking: Masking = "m1"
    outside_db: float | None = None
    control_seed: int | None = None
    evidence: Evidence | None = None
    listener: str | None = None
    label: str | None = None
    contrast: str | None = None
    nearest: int = 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope explain`."""
    add_moment(parser)
    add_listener(parser, "the label to explain (default: the one predicted, which is all that some rules explain)")
    parser.add_argument(
        "--nearest",
        type=int,
        default=0,
        metavar="K",
        help="also name K excerpts of the bundle's own music that the listener holds for most alike (default: none)",
    )
    region = add_region(parser)
    region.add_argument(
        "--evidence",
        choices=["full", "kept", "mean-fill"],
        help="what is tried on the region: exchange with other music, with all controls (full) or only with its "
        "silhouette, faster (kept); or no exchange (mean-fill) (default: the most that the bundle can)",
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    region = Region(
        options.rule,
        chosen_alpha(options),
        options.max_area,
        options.masking,
        options.outside_db,
        options.control_seed,
        options.evidence,
        options.listener,
        options.label,
        options.contrast,
        options.nearest,
    )
    explanation, document = explain(options.song, options.at_s, options.out, region, connection, note=note)
    return document, explanation_text(explanation, song=printable(options.song.name))


def explain(
    song: Path, at_s: float, out: Path | None, region: Region, connection: Connection, *, note: Note
) -> tuple[Explanation, dict[str, Any]]:
    """Explain one moment; write the report, sounds, arrays and summary where a folder is given.

    Returns:
        The explanation, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    must_exist(song)
    name = printable(song.name)
    must_be_able_to_draw(out)
    with connection.open(note) as client:
        note(f"explaining {name} at {at_s:.2f} s ...")
        explanation = client.explain(song, at_s, **vars(region))
    said = {"song": printable(song), **explanation.to_json()}
    return explanation, summary(said, partial(_write, song=name, explanation=explanation), out, started_s)


def _write(out: Path, song: str, explanation: Explanation) -> dict[str, Path]:
    from phonoscope_client.reports.explanation import (  # noqa: PLC0415 - Matplotlib loads slowly
        explanation_page,
        listening_gain,
    )

    files = {"report": out / "report.html", "arrays": out / "explanation.npz"}
    write_text(files["report"], explanation_page(explanation, song=song))
    explanation.save(files["arrays"])
    sounds = {
        "original": explanation.original_audio,
        "explanation": explanation.explanation_audio,
        "carried": explanation.carried_audio,
        "silhouette": explanation.silhouette_audio,
    }
    made = {name: sound for name, sound in sounds.items() if sound is not None}
    return files | write_sounds(out, made, lambda _: listening_gain(explanation))

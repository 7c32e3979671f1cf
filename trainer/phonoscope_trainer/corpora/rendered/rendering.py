"""Renders the songs that a folder lacks, in one process or several, and leaves no file half written."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from phonoscope_trainer.writing import write_text


def render_missing(
    render: Callable[[int], None],
    missing: Sequence[int],
    songs: int,
    workers: int,
    shown: bool,
    unit: str = "song",
) -> None:
    """Render the songs `missing`, of `songs`.

    Args:
        render: makes one song and writes it; can be pickled where there are several workers.
        missing: numbers of songs.
        songs: how many there will be.
        workers: processes; 1 renders in this one.
        shown: whether there is a progress bar.
        unit: what it counts.
    """
    with tqdm(total=songs, initial=songs - len(missing), unit=unit, disable=not shown) as bar:
        if workers == 1:
            for song in missing:
                render(song)
                bar.update()
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            for rendered in as_completed([pool.submit(render, song) for song in missing]):
                rendered.result()
                bar.update()


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write a document, whole or not at all."""
    write_text(path, json.dumps(document, indent=1) + "\n")

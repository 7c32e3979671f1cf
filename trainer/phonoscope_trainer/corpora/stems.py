"""Corpora of separate voice and accompaniment, in one layout on disk.

root/voice/NAME.flac  root/accompaniment/NAME.flac  root/labels/NAME.lab  root/splits.csv (clip, singer, split)

MIR-1K and MUSDB18 come in layouts of their own, whose stems are decoded once; splits.csv is written last, so its
presence says that the corpus is complete. Ogg Vorbis does as well as FLAC.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.audio import write_flac
from phonoscope_trainer.corpora.corpus import Segment, Split, Track, as_split
from phonoscope_trainer.corpora.labels import merge_gaps, read_lab, write_lab
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.writing import written_whole

LISTING = "splits.csv"
SUFFIXES = (".flac", ".ogg")


def read_tracks(root: Path, merge_gaps_s: float = 0.0) -> tuple[Track, ...]:
    """The tracks under `root`, pauses in their labels closed where they are shorter than `merge_gaps_s` seconds.

    Raises:
        CorpusError: a file is missing; the message says which.
    """
    listing = root / LISTING
    if not listing.is_file():
        raise CorpusError(f"{listing} is missing; it names each clip's split")
    with listing.open(newline="", encoding="utf-8") as file:
        return tuple(_track(root, row, merge_gaps_s) for row in csv.DictReader(file))


def _track(root: Path, row: dict[str, str], merge_gaps_s: float) -> Track:
    clip = row["clip"]
    stems = [_stem(root / folder, clip) for folder in ("voice", "accompaniment")]
    return Track(
        name=clip,
        group=row["singer"],
        split=as_split(row["split"], f"{root / LISTING}: {clip}"),
        vocals=merge_gaps(read_lab(_label_file(root, clip)), merge_gaps_s),
        voice=stems[0],
        accompaniment=stems[1],
    )


def _stem(folder: Path, clip: str) -> Path:
    for suffix in SUFFIXES:
        path = folder / f"{clip}{suffix}"  # a name may hold dots, so with_suffix would cut it
        if path.is_file():
            return path
    raise CorpusError(f"{folder / clip}{' or '.join(SUFFIXES)} is missing")


def _label_file(root: Path, clip: str) -> Path:
    return root / "labels" / f"{clip}.lab"


def is_written(root: Path, clip: str) -> bool:
    """Whether `clip` is complete: its labels are written after its stems."""
    return _label_file(root, clip).is_file()


def write_clip(
    root: Path,
    clip: str,
    voice: NDArray[np.float32],
    accompaniment: NDArray[np.float32],
    vocals: Iterable[Segment],
    sample_rate_hz: int,
) -> None:
    """Write one clip's stems `[N]` and its labels; stems beyond full scale are turned down together."""
    full_scale = max(1.0, float(np.abs(voice).max(initial=0)), float(np.abs(accompaniment).max(initial=0)))
    for folder, samples in (("voice", voice), ("accompaniment", accompaniment)):
        path = root / folder / f"{clip}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_flac(path, samples / full_scale, sample_rate_hz)
    label_file = _label_file(root, clip)
    label_file.parent.mkdir(parents=True, exist_ok=True)
    write_lab(label_file, vocals, len(voice) / sample_rate_hz)


def write_listing(root: Path, rows: Sequence[tuple[str, str, Split]]) -> None:
    """Write splits.csv from (clip, singer, split): the corpus is complete."""
    table = root / LISTING
    with written_whole(table) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("clip", "singer", "split"), *rows])

"""Real music with labels of several strengths, told apart by the kind of each track.

root/manifest.csv (file, licence, vocals, group)  root/splits.csv (file, split)  root/KIND/NAME.ogg, NAME.lab beside it
root/stems/voice/NAME.ogg  root/stems/accompaniment/NAME.ogg  root/stems/labels/NAME.lab

A recording in which nobody sings needs no labels: its `vocals` are none. The row of a song with stems names both files.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from phonoscope_trainer.corpora.corpus import Corpus, Split, Track, as_split
from phonoscope_trainer.corpora.labels import read_lab
from phonoscope_trainer.errors import CorpusError

KINDS = ("songs", "stems", "voice", "silver", "instrumental")
SILVER = "silver"  # labelled by a model: to learn from, never to judge by
MANIFEST, SPLITS = "manifest.csv", "splits.csv"
LICENCE = "as its manifest states, track by track"
HOW_TO_GET = f"It is a folder with {MANIFEST}, {SPLITS} and recordings by kind: {', '.join(KINDS)}"
STEMS_OF_ONE = " + "  # between the two files of a row

Row = dict[str, str]


def load(root: Path) -> Corpus:
    """The recordings under `root`, in the order of their manifest.

    A group that the splits divide is one by song: they were made so where a kind has too few artists.

    Raises:
        CorpusError: a table or a file is missing, or a row has no split or an unknown kind.
    """
    rows, splits = _rows(root / MANIFEST), {row["file"]: row["split"] for row in _rows(root / SPLITS)}
    if unsplit := [row["file"] for row in rows if row["file"] not in splits]:
        raise CorpusError(f"{root / SPLITS}: has no split for {unsplit[0]!r}")
    placed = [(row, as_split(splits[row["file"]], f"{root / SPLITS}: {row['file']}")) for row in rows]
    sides = defaultdict(set)
    for row, split in placed:
        sides[row["group"]].add(split)
    tracks = tuple(_track(root, row, split, is_divided=len(sides[row["group"]]) > 1) for row, split in placed)
    return Corpus("real", "; ".join(sorted({row["licence"] for row in rows})), tracks)


def _rows(table: Path) -> list[Row]:
    if not table.is_file():
        raise CorpusError(f"{table} is missing. {HOW_TO_GET}")
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _track(root: Path, row: Row, split: Split, *, is_divided: bool) -> Track:
    paths = [root / name for name in row["file"].split(STEMS_OF_ONE)]
    kind = paths[0].relative_to(root).parts[0]
    if kind not in KINDS:
        raise CorpusError(f"{root / MANIFEST}: {row['file']} is of kind {kind!r}, not one of {', '.join(KINDS)}")
    if missing := [path for path in paths if not path.is_file()]:
        raise CorpusError(f"{missing[0]}: is named in {root / MANIFEST} and is not there")
    name = f"{kind}/{paths[0].stem}"
    beside = root / kind / "labels" / f"{paths[0].stem}.lab" if len(paths) > 1 else paths[0].with_suffix(".lab")
    return Track(
        name=name,
        group=name if is_divided else row["group"],
        split=split,
        vocals=() if row["vocals"] == "none" else read_lab(beside),
        kind=kind,
        **(dict(zip(("voice", "accompaniment"), paths, strict=True)) if len(paths) > 1 else {"mixture": paths[0]}),
    )

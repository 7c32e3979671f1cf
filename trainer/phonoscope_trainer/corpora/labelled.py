"""A folder of recordings with one label each: what a tagger is trained on.

Either the class is the sub-folder, `ballad/SONG.mp3`; or `labels.csv` names each file, with columns file and label. A
column group keeps recordings of one song on one side of the split; a column split assigns it, otherwise the group's
name does, so that adding songs never moves another.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from phonoscope_trainer.corpora.audio import AUDIO_SUFFIXES
from phonoscope_trainer.corpora.corpus import Split, as_split, split_of
from phonoscope_trainer.errors import CorpusError

LABELS = "labels.csv"


@dataclass(frozen=True, slots=True)
class LabelledSong:
    """One recording; `group` names the song that it is a version of."""

    name: str  # its path under the folder
    group: str
    split: Split
    label: str
    path: Path


@dataclass(frozen=True, slots=True)
class LabelledMusic:
    """Recordings with a label each; `labels` are in alphabetical order, which is the order of a tagger's outputs."""

    root: Path
    songs: tuple[LabelledSong, ...] = field(repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that occurs."""
        return tuple(sorted({song.label for song in self.songs}))

    def of(self, split: Split) -> tuple[LabelledSong, ...]:
        """The recordings of one split, in order of their names."""
        return tuple(song for song in self.songs if song.split == split)

    @property
    def digest(self) -> str:
        """SHA-256 over names, labels, splits and sizes: the same music always has the same digest."""
        rows = [[s.name, s.group, s.split, s.label, s.path.stat().st_size] for s in self.songs]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def load(root: Path) -> LabelledMusic:
    """The labelled recordings under `root`.

    Raises:
        CorpusError: the folder or a file is missing, there are fewer than two labels, or a split divides a group.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    songs = tuple(sorted(_listed(root) if (root / LABELS).is_file() else _sorted(root), key=lambda song: song.name))
    if missing := [song.path for song in songs if not song.path.is_file()]:
        raise CorpusError(f"{missing[0]}: is named in {root / LABELS} and is not there")
    if len({song.label for song in songs}) < 2:
        raise CorpusError(
            f"{root}: fewer than two labels; give each class a sub-folder of audio files, or a {LABELS} with file,label"
        )
    splits: dict[str, Split] = {}
    for song in songs:
        if splits.setdefault(song.group, song.split) != song.split:
            raise CorpusError(f"{root / LABELS}: splits divide the group {song.group!r}")
    return LabelledMusic(root, songs)


def _listed(root: Path) -> Iterator[LabelledSong]:
    """What `labels.csv` names."""
    table = root / LABELS
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "label"} <= rows[0].keys():
        raise CorpusError(f"{table}: needs rows with columns file and label")
    for row in rows:
        name = row["file"]
        group = row.get("group") or name
        split = as_split(row["split"], f"{table}: {name}") if row.get("split") else split_of(group)
        yield LabelledSong(name, group, split, row["label"], root / name)


def _sorted(root: Path) -> Iterator[LabelledSong]:
    """The class is the sub-folder."""
    for path in root.glob("*/**/*"):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            name = path.relative_to(root)
            yield LabelledSong(str(name), str(name), split_of(str(name)), name.parts[0], path)

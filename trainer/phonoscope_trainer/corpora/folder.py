"""A folder of audio files with `.lab` files beside them: anybody's own music.

`SONG.mp3` is labelled by `SONG.lab`. A `manifest.csv` with columns file and vocals may say "no…" where nobody sings:
that recording needs no `.lab`; one with a column split assigns splits, otherwise each song's name does, so
that adding songs never moves another. Recordings without labels are left out.
"""

from __future__ import annotations

import csv
from pathlib import Path

from phonoscope_trainer.corpora.audio import AUDIO_SUFFIXES
from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track, as_split, split_of
from phonoscope_trainer.corpora.labels import read_lab
from phonoscope_trainer.errors import CorpusError

LICENCE = "as its owner states"
HOW_TO_GET = "Give --root, a folder of audio files, each with a .lab file of `start end sing|nosing` lines beside it"


def _manifest(root: Path) -> dict[str, dict[str, str]]:
    """Rows of manifest.csv by file name; empty where there is none."""
    path = root / "manifest.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def load(root: Path) -> Corpus:
    """The labelled recordings under `root`, by name.

    Raises:
        CorpusError: the folder is missing, or nothing in it is labelled.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    manifest, tracks = _manifest(root), []
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES):
        row = manifest.get(path.name, {})
        vocals: tuple[Segment, ...] = ()
        if path.with_suffix(".lab").is_file():
            vocals = read_lab(path.with_suffix(".lab"))
        elif not row.get("vocals", "").startswith("no"):
            continue
        name = str(path.relative_to(root).with_suffix(""))
        split = as_split(row["split"], f"{root / 'manifest.csv'}: {path.name}") if row.get("split") else split_of(name)
        tracks.append(Track(name, name, split, vocals, mixture=path))
    if not tracks:
        raise CorpusError(f"{root}: no audio file with a .lab file beside it")
    return Corpus(root.resolve().name, LICENCE, tuple(tracks))

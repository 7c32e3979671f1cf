"""Free Music Archive (Defferrard et al. 2017): a great deal of music that nobody has labelled.

Its tracks have no vocal segments (`Track.vocals` is None): they can be listened to, and neither train nor test a
detector. The split is the authors', which keeps the tracks of an artist together.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from phonoscope_trainer.corpora.corpus import Corpus, Split, Track
from phonoscope_trainer.errors import CorpusError

LICENCE = "Creative Commons, per track, as fma_metadata/tracks.csv says"
HOW_TO_GET = (
    "Get fma_metadata.zip and one of fma_small.zip, fma_medium.zip, fma_large.zip and fma_full.zip from "
    "https://github.com/mdeff/fma and unpack them side by side: fma_metadata/tracks.csv, fma_small/000/000002.mp3, ..."
)
METADATA = "fma_metadata/tracks.csv"
SUBSETS = ("small", "medium", "large")  # each holds the ones before it
FOLDERS = {"fma_full": SUBSETS, "fma_large": SUBSETS, "fma_medium": SUBSETS[:2], "fma_small": SUBSETS[:1]}
SPLIT_NAMES: dict[str, Split] = {"training": "train", "validation": "valid", "test": "test"}
LONGEST_FIELD = 2**24  # characters; biographies are longer than the csv module expects of a field


def load(root: Path) -> Corpus:
    """The largest edition under `root`, without labels.

    Raises:
        CorpusError: the metadata, every edition's folder, or audio files are missing.
    """
    folder = next((root / name for name in FOLDERS if (root / name).is_dir()), None)
    if folder is None or not (root / METADATA).is_file():
        raise CorpusError(f"fma: {root} lacks {METADATA if folder else 'the audio'}. {HOW_TO_GET}")
    tracks, missing = [], []
    for row in _rows(root / METADATA):
        if row["set", "subset"] not in FOLDERS[folder.name]:
            continue
        track = _track(row, folder)
        tracks.append(track)
        missing += [path for path in track.audio if not path.is_file()]
    if missing:
        raise CorpusError(f"fma: {len(missing)} of {len(tracks)} files are missing, first {missing[0]}. {HOW_TO_GET}")
    return Corpus(folder.name.replace("_", "-"), LICENCE, tuple(tracks))


def _track(row: dict[tuple[str, str], str], folder: Path) -> Track:
    name = row["track", "id"].zfill(6)
    if (split := row["set", "split"]) not in SPLIT_NAMES:
        raise CorpusError(f"fma: {METADATA}: track {name}: split is {split!r}, not one of {', '.join(SPLIT_NAMES)}")
    artist = f"artist {row['artist', 'id']}"
    return Track(name, artist, SPLIT_NAMES[split], None, mixture=folder / name[:3] / f"{name}.mp3")


def _rows(path: Path) -> Iterator[dict[tuple[str, str], str]]:
    """Rows of tracks.csv by its two lines of headings; a third line names the first column alone."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        tables, columns, _ = next(reader), next(reader), next(reader)
        headings = [("track", "id"), *zip(tables[1:], columns[1:], strict=True)]
        for needed in (("set", "subset"), ("set", "split"), ("artist", "id")):
            if needed not in headings:
                raise CorpusError(f"fma: {path} has no column {needed[0]} {needed[1]}")
        for row in reader:
            yield dict(zip(headings, row, strict=True))

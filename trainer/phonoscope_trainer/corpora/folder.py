"""A folder of audio files with `.lab` files beside them: anybody's own music.

    SONG.mp3  SONG.lab                                            a recording and where it is sung
    SONG.vocals.flac  SONG.accompaniment.flac  SONG.lab           a recording as its stems
    voice/SONG.flac  accompaniment/SONG.flac  labels/SONG.lab     the same

Folders may lie in folders. A `manifest.csv` may say more of each `file`, by its name or its path; a recording as stems
is called by its voice. `vocals` that begin with "no" say that nobody sings: that recording needs no `.lab`. `split`, or
that column of a `splits.csv`, assigns splits, otherwise the name of the `group`, or the song's own, does, so that
adding songs never moves another. `licence` is the recording's. Recordings without labels are left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from phonoscope_trainer.corpora.audio import AUDIO_SUFFIXES
from phonoscope_trainer.corpora.corpus import Corpus, Track, as_split, split_of
from phonoscope_trainer.corpora.labels import read_lab
from phonoscope_trainer.errors import CorpusError

LICENCE = "as its owner states"
BETWEEN_LICENCES = "; "
HOW_TO_GET = (
    "Write folder:PATH, any number of them: folders of audio files, each with a .lab file of `start end sing|nosing` "
    "lines beside it"
)
TABLES = ("manifest.csv", "splits.csv")
VOCALS, ACCOMPANIMENT = ".vocals", ".accompaniment"  # before the suffix of a stem's name

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Recording:
    """What belongs to one song; `accompaniment` is there where `audio` is the voice alone."""

    name: str
    audio: Path
    labels: Path
    accompaniment: Path | None = None


def load(root: Path) -> Corpus:
    """The labelled recordings under `root`, by name.

    Raises:
        CorpusError: the folder is missing, or nothing in it is labelled.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder")
    rows = _rows(root)
    found = {recording.name: recording for recording in _recordings(root)}
    songs = [(r, _row(rows, root, r.audio)) for _, r in sorted(found.items())]
    songs = [(r, row) for r, row in songs if r.labels.is_file() or row.get("vocals", "").startswith("no")]
    if not songs:
        raise CorpusError(f"{root}: no audio file with a .lab file beside it")
    licences = sorted({row.get("licence") or LICENCE for _, row in songs})
    return Corpus(root.resolve().name, BETWEEN_LICENCES.join(licences), tuple(_track(root, r, row) for r, row in songs))


def licensed(corpus: Corpus, licence: str) -> Corpus:
    """A corpus whose recordings without a licence of their own are under `licence`; empty: as it was."""
    if not licence:
        return corpus
    stated = {licence if each == LICENCE else each for each in corpus.licence.split(BETWEEN_LICENCES)}
    return replace(corpus, licence=BETWEEN_LICENCES.join(sorted(stated)))


def _rows(root: Path) -> dict[str, Row]:
    """What the tables say of each file they name, together."""
    rows: dict[str, Row] = {}
    for table in (root / name for name in TABLES):
        if table.is_file():
            with table.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if "file" in row:  # splits.csv of a corpus of stems names clips
                        rows[row["file"]] = rows.get(row["file"], {}) | row
    return rows


def _row(rows: dict[str, Row], root: Path, path: Path) -> Row:
    return rows.get(path.name, {}) | rows.get(path.relative_to(root).as_posix(), {})


def _recordings(root: Path) -> Iterator[_Recording]:
    """Every recording, labelled or not; one that is there as stems, too, comes last, as these."""
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    places = {path.with_suffix(""): path for path in paths}
    pairs = {place: partner for place in places if (partner := _accompaniment(place)) in places}
    of_pairs = {*pairs, *pairs.values()}
    for place, path in places.items():
        if place not in of_pairs:
            yield _Recording(str(place.relative_to(root)), path, path.with_suffix(".lab"))
    for place, partner in pairs.items():
        labels, song = place.with_suffix(".lab"), place.with_suffix("")
        if place.parent.name == "voice":
            song = place.parent.parent / place.name
            labels = place.parent.parent / "labels" / f"{place.name}.lab"
        yield _Recording(str(song.relative_to(root)), places[place], labels, places[partner])


def _accompaniment(voice: Path) -> Path | None:
    """Where the accompaniment of `voice`, both without suffix, would lie; None where its name is no voice's."""
    if voice.parent.name == "voice":
        return voice.parent.parent / "accompaniment" / voice.name
    if voice.name.endswith(VOCALS):
        return voice.with_name(voice.name.removesuffix(VOCALS) + ACCOMPANIMENT)
    return None


def _track(root: Path, recording: _Recording, row: Row) -> Track:
    group = row.get("group") or recording.name
    assigned = row.get("split")
    is_stem = recording.accompaniment is not None
    return Track(
        recording.name,
        group,
        as_split(assigned, f"{root}: {recording.audio.name}") if assigned else split_of(group),
        read_lab(recording.labels) if recording.labels.is_file() else (),
        mixture=None if is_stem else recording.audio,
        voice=recording.audio if is_stem else None,
        accompaniment=recording.accompaniment,
        kind=row.get("kind", ""),
    )

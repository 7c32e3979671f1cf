"""Jamendo (Ramona, Richard & David 2008): 93 songs with vocal labels, the benchmark of singing voice detection.

The authors' split of 61, 16 and 16 songs is in `jamendo_lists/`. Audio may lie in `audio/`, or in `train/`, `valid/`
and `test/` as the authors' archives unpack; labels in `labels/` or `jamendo_lab/`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from phonoscope_trainer.corpora.audio import AUDIO_SUFFIXES
from phonoscope_trainer.corpora.corpus import SPLITS, Corpus, Split, Track
from phonoscope_trainer.corpora.labels import read_lab
from phonoscope_trainer.errors import CorpusError

LICENCE = "Creative Commons, per song; labels by Mathieu Ramona"
HOW_TO_GET = (
    "Get it from https://zenodo.org/records/2585988 or http://www.mathieuramona.com/wp/data/jamendo/ and unpack it to "
    "audio/*.ogg, audio/*.mp3 and labels/*.lab"
)
AUDIO_FOLDERS = ("audio", *SPLITS)
LABEL_FOLDERS = ("labels", "jamendo_lab")


def song_names(split: Split) -> tuple[str, ...]:
    """File names, without suffix, of the songs of one split, in the order of the official list."""
    listing = resources.files("phonoscope_trainer.corpora") / "jamendo_lists" / f"{split}.txt"
    return tuple(line[: line.rindex(".")] for line in listing.read_text(encoding="utf-8").splitlines())


def load(root: Path) -> Corpus:
    """The 93 songs under `root`.

    Raises:
        CorpusError: an audio or label file is missing, or a label file is malformed.
    """
    wanted = {song: split for split in SPLITS for song in song_names(split)}
    audio = _found(root, AUDIO_FOLDERS, AUDIO_SUFFIXES)
    labels = _found(root, LABEL_FOLDERS, (".lab",))
    for kind, found in (("audio", audio), ("label", labels)):
        missing = [song for song in wanted if song not in found]
        if missing:
            raise CorpusError(
                f"jamendo: {root} lacks the {kind} files of {len(missing)} of {len(wanted)} songs, "
                f"{missing[0]!r} the first of them. {HOW_TO_GET}"
            )
    tracks = [Track(song, song, split, read_lab(labels[song]), mixture=audio[song]) for song, split in wanted.items()]
    return Corpus("jamendo", LICENCE, tuple(tracks))


def _found(root: Path, folders: tuple[str, ...], suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Files of these kinds in these folders of `root`, by their names without suffix."""
    paths = (path for folder in folders for path in sorted((root / folder).glob("*")))
    return {path.stem: path for path in paths if path.suffix.lower() in suffixes}

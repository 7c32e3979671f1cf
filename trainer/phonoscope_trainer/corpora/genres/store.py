"""The genre corpus on disk: made song by song, resumable, and read back as any labelled folder is.

root/GENRE/NAME.flac  root/songs/NAME.json  root/labels.csv  root/manifest.json
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from phonoscope_trainer.corpora import labelled
from phonoscope_trainer.corpora.audio import write_flac
from phonoscope_trainer.corpora.genres.options import GenreOptions
from phonoscope_trainer.corpora.genres.song import arrange_song
from phonoscope_trainer.corpora.genres.styles import GENRES
from phonoscope_trainer.corpora.rendered.rendering import render_missing, write_json
from phonoscope_trainer.corpora.rendered.store import PACKAGES
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.writing import written_whole

VERSION = 1  # counts changes of the sound that a seed gives
MANIFEST = "manifest.json"


def render(root: Path, options: GenreOptions, workers: int = 1, progress: bool = True) -> labelled.LabelledMusic:
    """Renders the songs that `root` lacks, in `workers` processes, and returns the music.

    Raises:
        CorpusError: `root` holds songs of other options than these (`songs` may be more).
        OptionsError: `workers` is less than 1.
    """
    if workers < 1:
        raise OptionsError(f"workers must be at least 1, is {workers}")
    _refuse_other_sound(root, options)
    for folder in ("songs", *GENRES):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write_json(root / MANIFEST, _manifest(options))
    missing = [song for song in range(options.songs) if not _description_file(root, song).exists()]
    render_missing(partial(_render_to, root, options), missing, options.songs, workers, progress)
    _write_labels(root, options)
    return labelled.load(root)


def descriptions(root: Path) -> dict[str, dict[str, Any]]:
    """What is played in each file, by the file's path under `root`.

    Raises:
        CorpusError: there is no complete corpus in `root`.
    """
    if not (root / labelled.LABELS).is_file():
        raise CorpusError(f"{root}: holds no complete genre corpus ({labelled.LABELS} is missing)")
    return {
        file: description
        for path in sorted((root / "songs").glob("*.json"))
        for file, description in json.loads(path.read_text(encoding="utf-8")).items()
    }


def _render_to(root: Path, options: GenreOptions, song: int) -> None:
    played = {}
    for genre, arrangement in arrange_song(options.seed, song, options).items():
        write_flac(root / _file(genre, song), arrangement.samples, options.sample_rate_hz)
        played[_file(genre, song)] = arrangement.description
    write_json(_description_file(root, song), played)


def _write_labels(root: Path, options: GenreOptions) -> None:
    table = root / labelled.LABELS
    with written_whole(table) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "label", "group", "split"))
        for song in range(options.songs):
            rows.writerows((_file(genre, song), genre, _name(song), options.split_of(song)) for genre in GENRES)


def _manifest(options: GenreOptions) -> dict[str, Any]:
    packages = {package: version(package) for package in PACKAGES}
    return {"version": VERSION, "options": asdict(options), "packages": packages}


def _refuse_other_sound(root: Path, options: GenreOptions) -> None:
    """A folder holds songs of one version, seed, duration and sample rate, split one way."""
    if not (root / MANIFEST).exists():
        return
    found = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    if found["version"] != VERSION:
        raise CorpusError(f"{root}: was rendered by version {found['version']}, this is version {VERSION}")
    for name, wanted in asdict(options).items():
        if name != "songs" and found["options"][name] != wanted:
            raise CorpusError(f"{root}: holds songs with {name} {found['options'][name]}, not {wanted}")


def _name(song: int) -> str:
    return f"song_{song:05d}"


def _file(genre: str, song: int) -> str:
    return f"{genre}/{_name(song)}.flac"


def _description_file(root: Path, song: int) -> Path:
    # Written last, so its presence says that the song is complete.
    return root / "songs" / f"{_name(song)}.json"

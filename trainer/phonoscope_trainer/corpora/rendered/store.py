"""The rendered corpus on disk: made song by song, resumable, and read back as a `Corpus`.

root/voice/NAME.flac  root/accompaniment/NAME.flac  root/labels/NAME.lab  root/songs/NAME.json  root/manifest.json
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from phonoscope_trainer.corpora.audio import write_flac
from phonoscope_trainer.corpora.corpus import Corpus, Track
from phonoscope_trainer.corpora.labels import read_lab, write_lab
from phonoscope_trainer.corpora.rendered.options import RenderOptions
from phonoscope_trainer.corpora.rendered.rendering import render_missing, write_json
from phonoscope_trainer.corpora.rendered.song import render_song
from phonoscope_trainer.errors import CorpusError, OptionsError

VERSION = 5  # counts changes of the sound that a seed gives
LICENCE = "made by Phonoscope with the TimGM6mb soundfont and espeak-ng (both GPL); nobody else's recordings"
PACKAGES = ("symusic", "pretty_midi", "espeakng-loader", "pyworld", "pedalboard", "numpy", "scipy")


def render(root: Path, options: RenderOptions, workers: int = 1, progress: bool = True) -> Corpus:
    """Renders the songs that `root` lacks, in `workers` processes, and returns the corpus.

    Raises:
        CorpusError: `root` holds songs of other options than these (`songs` and the fractions may differ).
        OptionsError: `workers` is less than 1.
    """
    if workers < 1:
        raise OptionsError(f"workers must be at least 1, is {workers}")
    _refuse_other_sound(root, options)
    for folder in ("voice", "accompaniment", "labels", "songs"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    _write_manifest(root, options)
    missing = [index for index in range(options.songs) if not _description_file(root, index).exists()]
    render_missing(partial(_render_to, root, options), missing, options.songs, workers, progress)
    _write_manifest(root, options)
    return load(root)


def load(root: Path) -> Corpus:
    """The rendered corpus in `root`, as far as it has been rendered.

    Raises:
        CorpusError: there is no manifest, or no song is complete.
    """
    manifest = _read_manifest(root)
    if manifest is None:
        raise CorpusError(f"{root}: holds no rendered corpus (manifest.json is missing)")
    options = RenderOptions(**manifest["options"])
    done = [index for index in range(options.songs) if _description_file(root, index).exists()]
    if not done:
        raise CorpusError(f"{root}: no song has been rendered yet")
    return Corpus(
        f"rendered-{options.seed}-v{manifest['version']}", LICENCE, tuple(_track(root, i, options) for i in done)
    )


def song_name(index: int) -> str:
    """The name of song `index`, which its files carry."""
    return f"rendered_{index:05d}"


def _track(root: Path, index: int, options: RenderOptions) -> Track:
    name = song_name(index)
    return Track(
        name=name,
        group=name,
        split=options.split_of(index),
        vocals=read_lab(root / "labels" / f"{name}.lab"),
        voice=root / "voice" / f"{name}.flac",
        accompaniment=root / "accompaniment" / f"{name}.flac",
    )


def _description_file(root: Path, index: int) -> Path:
    # Written last, so its presence says that the song is complete.
    return root / "songs" / f"{song_name(index)}.json"


def _render_to(root: Path, options: RenderOptions, index: int) -> None:
    song = render_song(options.seed, index, options)
    name = song_name(index)
    for folder, samples in (("voice", song.voice), ("accompaniment", song.accompaniment)):
        write_flac(root / folder / f"{name}.flac", samples, options.sample_rate_hz)
    write_lab(root / "labels" / f"{name}.lab", song.vocals, len(song.voice) / options.sample_rate_hz)
    write_json(_description_file(root, index), song.description)


def _write_manifest(root: Path, options: RenderOptions) -> None:
    songs = {}
    for index in range(options.songs):
        description = _description_file(root, index)
        if description.exists():
            played = json.loads(description.read_text(encoding="utf-8"))
            songs[song_name(index)] = {"split": options.split_of(index)} | played
    packages = {package: version(package) for package in PACKAGES}
    manifest = {"version": VERSION, "options": asdict(options), "packages": packages, "songs": songs}
    write_json(root / "manifest.json", manifest)


def _read_manifest(root: Path) -> dict[str, Any] | None:
    path = root / "manifest.json"
    if not path.exists():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorpusError(f"{path}: is not JSON: {error}") from error
    return manifest


def _refuse_other_sound(root: Path, options: RenderOptions) -> None:
    """A folder holds songs of one version, seed, duration and sample rate."""
    manifest = _read_manifest(root)
    if manifest is None:
        return
    if manifest["version"] != VERSION:
        raise CorpusError(f"{root}: was rendered by version {manifest['version']}, this is version {VERSION}")
    for name in ("seed", "shortest_s", "longest_s", "sample_rate_hz", "style"):
        found, wanted = manifest["options"].get(name, ""), getattr(options, name)
        if found != wanted:
            raise CorpusError(f"{root}: holds songs with {name} {found}, not {wanted}")

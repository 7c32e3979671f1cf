"""Corpora by name, found where `PHONOSCOPE_DATA` says, and what to do where one is missing."""

from __future__ import annotations

import os
from pathlib import Path

from phonoscope_trainer.corpora import folder, mir1k, rendered
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.errors import CorpusError

NAMES = ("rendered", "mir1k", "folder")


def data_folder() -> Path | None:
    """`$PHONOSCOPE_DATA`, a folder of corpora; None where it is not set."""
    value = os.environ.get("PHONOSCOPE_DATA")
    return Path(value) if value else None


def rendered_folder() -> Path:
    """Where the rendered corpus is kept unless told otherwise."""
    return cache_folder() / "rendered"


def load(name: str, root: Path | None = None) -> Corpus:
    """The corpus called `name`, under `root` or where such a corpus is usually found.

    Raises:
        CorpusError: no such corpus, or it is not there; the message says how to get it.
    """
    if name == "rendered":
        home = root or rendered_folder()
        if not (home / "manifest.json").is_file():
            raise CorpusError(f"{home}: no rendered corpus; make one with `phonoscope-train corpus rendered`")
        return rendered.load(home)
    data = data_folder()
    if name == "mir1k":
        place = root or (data / "mir1k" if data else None)
        if place is None:
            raise CorpusError("mir1k: set PHONOSCOPE_DATA to the folder that holds mir1k/, or give --root")
        return mir1k.load(place)
    if name == "folder":
        if root is None:
            raise CorpusError("folder: give --root, a folder of audio with .lab files beside it")
        return folder.load(root)
    raise CorpusError(f"no corpus is called {name!r}; there are {', '.join(NAMES)}")


def available() -> tuple[str, ...]:
    """Names of the training corpora that are there, the rendered one first."""
    data = data_folder()
    found = ["rendered"] if (rendered_folder() / "manifest.json").is_file() else []
    return (*found, *(["mir1k"] if data and (data / "mir1k").is_dir() else []))

"""Corpora by specification, `NAME` or `NAME:PATH`, found where `PHONOSCOPE_DATA` says unless a path does.

What to do where one is missing is part of the message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phonoscope_trainer.corpora import fma, folder, jamendo, mir1k, musdb, real, rendered, rwc, stems
from phonoscope_trainer.corpora.corpus import Corpus
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.corpora.played import PLAYED
from phonoscope_trainer.corpora.rendered import store
from phonoscope_trainer.corpora.speech import SPEECH
from phonoscope_trainer.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus that can be had: how its folder is known and read, and where it comes from."""

    name: str
    meaning: str
    load: Callable[[Path], Corpus]
    marks: tuple[str, ...]  # a folder that holds one of these holds the corpus
    licence: str
    how_to_get: str
    is_labelled: bool = True
    decode: Callable[[Path, Path], Corpus] | None = None  # from the authors' layout into that of `stems`

    def is_in(self, root: Path) -> bool:
        """Whether `root` holds the corpus, complete or not."""
        return any((root / mark).exists() for mark in self.marks)


SOURCES = {
    source.name: source
    for source in (
        Source(
            "rendered",
            "songs made from nothing, with stems",
            rendered.load,
            ("manifest.json",),
            store.LICENCE,
            "Make it with `phonoscope-train corpus rendered`",
        ),
        Source(
            "speech",
            "synthesised speech, in which nobody sings",
            SPEECH.load,
            (SPEECH.manifest,),
            SPEECH.licence,
            "Make it with `phonoscope-train corpus speech`",
        ),
        Source(
            "played",
            "instruments, synthesiser choirs, tones and sirens that sway, in which nobody sings",
            PLAYED.load,
            (PLAYED.manifest,),
            PLAYED.licence,
            "Make it with `phonoscope-train corpus played`",
        ),
        Source(
            "mir1k",
            "karaoke clips with stems",
            mir1k.load,
            (stems.LISTING,),
            mir1k.LICENCE,
            mir1k.HOW_TO_GET,
            decode=mir1k.decode,
        ),
        Source(
            "jamendo",
            "93 songs, the benchmark",
            jamendo.load,
            jamendo.AUDIO_FOLDERS,
            jamendo.LICENCE,
            jamendo.HOW_TO_GET,
        ),
        Source("rwc", "RWC Popular, 100 songs", rwc.load, ("audio",), rwc.LICENCE, rwc.HOW_TO_GET),
        Source(
            "musdb",
            "150 songs with stems",
            musdb.load,
            (stems.LISTING,),
            musdb.LICENCE,
            musdb.HOW_TO_GET,
            decode=musdb.decode,
        ),
        Source("fma", "Free Music Archive", fma.load, (fma.METADATA,), fma.LICENCE, fma.HOW_TO_GET, is_labelled=False),
        Source(
            "real",
            "songs, stems, solo voices and instrumental recordings",
            real.load,
            (real.SPLITS,),
            real.LICENCE,
            real.HOW_TO_GET,
        ),
        Source("folder", "your own music", folder.load, (".",), folder.LICENCE, folder.HOW_TO_GET),
    )
}
NAMES = tuple(SOURCES)


def data_folder() -> Path | None:
    """`$PHONOSCOPE_DATA`, a folder of corpora; None where it is not set."""
    value = os.environ.get("PHONOSCOPE_DATA")
    return Path(value) if value else None


def rendered_folder() -> Path:
    """Where the rendered corpus is kept unless told otherwise."""
    return cache_folder() / "rendered"


def source_of(name: str) -> Source:
    """The corpus called `name`.

    Raises:
        CorpusError: there is none.
    """
    if name not in SOURCES:
        raise CorpusError(f"no corpus is called {name!r}; there are {', '.join(NAMES)}")
    return SOURCES[name]


def usual_place(name: str) -> Path | None:
    """Where a person keeps the corpus called `name`: `$PHONOSCOPE_DATA/name`; None where the variable is not set."""
    data = data_folder()
    return data / name if data else None


def where_it_is_not(name: str) -> str:
    """Where the corpus called `name` was looked for in vain, for a message."""
    place = usual_place(name)
    looked = f"not in {place}" if place else f"PHONOSCOPE_DATA, the folder that holds {name}/, is not set"
    return f"{looked}, and no other place is given as {name}:PATH or --root PATH"


def find(name: str) -> Path | None:
    """Where the corpus called `name` is: its usual place, or the cache where it was made or decoded."""
    places = [place for place in (usual_place(name), cache_folder() / name) if place]
    return next((place for place in places if source_of(name).is_in(place)), None)


def load(specification: str, root: Path | None = None) -> Corpus:
    """A corpus, `NAME` or `NAME:PATH`: there, under `root`, or where a corpus of that name is usually found.

    Raises:
        CorpusError: no such corpus, or it is not there; the message says how to get it.
    """
    name, _, path = specification.partition(":")
    source = source_of(name)
    place = Path(path) if path else root or find(name)
    if place is not None:
        return source.load(place)
    raise CorpusError(f"{name}: {where_it_is_not(name)}. {source.how_to_get}")


def available() -> tuple[str, ...]:
    """Names of the corpora that a detector can be trained on and that are there, the rendered one first."""
    return tuple(name for name, source in SOURCES.items() if source.is_labelled and find(name))

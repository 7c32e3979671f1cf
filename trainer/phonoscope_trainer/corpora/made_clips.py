"""Clips in which nobody sings, made from a seed: written one by one, resumable, and read back as a `Corpus`.

root/audio/NAME.flac  root/clips/NAME.json  root/KIND.json

What clips are made with, such as synthesisers that a machine has, is part of what a corpus is: one that was begun goes
on with the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.audio import write_flac
from phonoscope_trainer.corpora.corpus import Corpus, Track, split_of
from phonoscope_trainer.corpora.rendered.rendering import render_missing, write_json
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.ranges import at_least

SAMPLE_RATE_HZ = 22_050
PEAK = 0.5

Samples = NDArray[np.floating]
Description = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """How many clips, of about twelve seconds each, and from which seed."""

    seed: int = 0
    clips: int = 72

    def __post_init__(self) -> None:
        at_least(0, self, "seed")
        at_least(1, self, "clips")


@dataclass(frozen=True, slots=True)
class Maker:
    """One corpus of made clips."""

    kind: str  # of every track
    version: int  # counts changes of the sound that a seed gives
    licence: str
    means: str  # what clips are made with, in the plural, as the manifest calls them
    installed: Callable[[], Sequence[str]]  # those that this machine has
    make: Callable[[np.random.Generator, tuple[str, ...], int], tuple[Samples, Description]]
    group: str  # what of a clip's description a split never divides

    @property
    def manifest(self) -> str:
        """The file that says what a folder holds."""
        return f"{self.kind}.json"

    def render(self, root: Path, options: ClipOptions, workers: int = 1, progress: bool = True) -> Corpus:
        """Makes the clips that `root` lacks, with what it began with or with what is there.

        Raises:
            CorpusError: `root` holds clips of another seed or version, or something it began with is gone.
        """
        means = self._begun(root, options) or list(self.installed())
        for folder in ("audio", "clips"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        write_json(root / self.manifest, {"version": self.version, "options": asdict(options), self.means: means})
        missing = [clip for clip in range(options.clips) if not self._description_file(root, clip).exists()]
        make = partial(self._render_to, root, options.seed, tuple(means))
        render_missing(make, missing, options.clips, workers, progress, unit="clip")
        return self.load(root)

    def load(self, root: Path) -> Corpus:
        """The clips in `root`, as far as they have been made.

        Raises:
            CorpusError: there is no manifest, or no clip is complete.
        """
        if not (root / self.manifest).is_file():
            raise CorpusError(f"{root}: holds no corpus of {self.kind} ({self.manifest} is missing)")
        tracks = []
        for file in sorted((root / "clips").glob("*.json")):
            group = str(json.loads(file.read_text(encoding="utf-8"))[self.group])
            audio = root / "audio" / f"{file.stem}.flac"
            tracks.append(Track(file.stem, group, split_of(group), (), mixture=audio, kind=self.kind))
        if not tracks:
            raise CorpusError(f"{root}: no clip has been made yet")
        return Corpus(self.kind, self.licence, tuple(tracks))

    def _begun(self, root: Path, options: ClipOptions) -> list[str] | None:
        """What a corpus that was begun in `root` is made with."""
        if not (root / self.manifest).is_file():
            return None
        stored: dict[str, Any] = json.loads((root / self.manifest).read_text(encoding="utf-8"))
        if (stored["version"], stored["options"]["seed"]) != (self.version, options.seed):
            raise CorpusError(
                f"{root}: holds {self.kind} of version {stored['version']}, seed {stored['options']['seed']}"
            )
        means: list[str] = stored[self.means]
        if gone := [name for name in means if name not in self.installed()]:
            raise CorpusError(f"{root}: was begun with {gone[0]}, which is not installed any more")
        return means

    def _render_to(self, root: Path, seed: int, means: tuple[str, ...], clip: int) -> None:
        samples, description = self.make(np.random.default_rng([seed, clip]), means, clip)
        levelled = PEAK * samples / max(float(np.abs(samples).max(initial=0)), 1e-9)
        write_flac(root / "audio" / f"{self._name(clip)}.flac", levelled, SAMPLE_RATE_HZ)
        write_json(self._description_file(root, clip), description)

    def _name(self, clip: int) -> str:
        return f"{self.kind}_{clip:05d}"

    def _description_file(self, root: Path, clip: int) -> Path:
        # Written last, so its presence says that the clip is complete.
        return root / "clips" / f"{self._name(clip)}.json"

"""What a corpus is: tracks, their stems, and the seconds in which somebody sings."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from phonoscope_trainer.errors import CorpusError

Split = Literal["train", "valid", "test"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")
VALID_SHARE, TEST_SHARE = 0.15, 0.15  # of the groups of a corpus without a split of its own


def as_split(name: str, where: str) -> Split:
    """`name` as a split; `where` begins the message of the `CorpusError` raised where it is none."""
    for split in SPLITS:
        if name == split:
            return split
    raise CorpusError(f"{where}: split is {name!r}, not one of {', '.join(SPLITS)}")


def split_of(group: str) -> Split:
    """A split that depends on the group's name alone, so that adding songs never moves another."""
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32
    return "test" if share < TEST_SHARE else "valid" if share < TEST_SHARE + VALID_SHARE else "train"


@dataclass(frozen=True, slots=True)
class Segment:
    """A sung stretch of a track, `[start_s, end_s)` in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Track:
    """One recording; where stems exist the recording is their sum.

    Exactly one of `mixture` and the pair (`voice`, `accompaniment`) is given.
    """

    name: str
    group: str  # song or singer; a split never divides a group
    split: Split
    vocals: tuple[Segment, ...] | None  # in order, disjoint; None where nobody has labelled the recording
    mixture: Path | None = None
    voice: Path | None = None
    accompaniment: Path | None = None
    kind: str = ""  # what sort of recording, where a corpus tells several apart

    def __post_init__(self) -> None:
        stems = (self.voice is not None, self.accompaniment is not None)
        if stems not in ((True, True), (False, False)) or (self.mixture is None) != stems[0]:
            raise CorpusError(f"{self.name}: a track has either a mixture or both a voice and an accompaniment")
        for before, after in pairwise(self.vocals or ()):
            if after.start_s < before.end_s:
                raise CorpusError(f"{self.name}: vocal segments overlap at {after.start_s:.3f} s")

    @property
    def audio(self) -> tuple[Path, ...]:
        """The files whose sum is the recording."""
        if self.mixture is not None:
            return (self.mixture,)
        assert self.voice is not None
        assert self.accompaniment is not None
        return (self.voice, self.accompaniment)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Tracks with their licence; `digest` identifies it in a bundle's manifest."""

    name: str
    licence: str
    tracks: tuple[Track, ...] = field(repr=False)

    def __post_init__(self) -> None:
        splits_of: dict[str, set[str]] = {}
        for track in self.tracks:
            splits_of.setdefault(track.group, set()).add(track.split)
        divided = sorted(group for group, splits in splits_of.items() if len(splits) > 1)
        if divided:
            raise CorpusError(f"{self.name}: splits divide the group {divided[0]!r}")
        repeated = [name for name, count in Counter(t.name for t in self.tracks).items() if count > 1]
        if repeated:
            raise CorpusError(f"{self.name}: two tracks are called {repeated[0]!r}")

    def of(self, split: Split) -> tuple[Track, ...]:
        """The tracks of one split, in the corpus' order."""
        return tuple(track for track in self.tracks if track.split == split)

    @property
    def digest(self) -> str:
        """SHA-256 over names, splits, labels and audio sizes: the same corpus always has the same digest."""
        description = [
            [
                t.name,
                t.group,
                t.split,
                None if t.vocals is None else [[s.start_s, s.end_s] for s in t.vocals],
                [p.stat().st_size for p in t.audio],
            ]
            for t in self.tracks
        ]
        return hashlib.sha256(json.dumps(description).encode()).hexdigest()

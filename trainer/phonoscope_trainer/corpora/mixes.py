"""Mixes of solo voices and other people's instrumental recordings: a voice whose every frame is known, in real music.

Voice and accompaniment are of one split, so nothing that was learned from is heard again. A voice has the accompaniment
to itself before and after. Mixes are written to the cache once, in the layout of `stems`; the same corpus always
gives the same ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora import stems
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import SPLITS, Corpus, Segment, Split, Track
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.errors import CorpusError

KIND = "mixes"
COUNT = 18
VOICE_DB = (-6.0, 3.0)  # voice over accompaniment, evenly from the first mix to the last
ALONE_S = 3.0  # of the accompaniment before the voice and after it
SAMPLE_RATE_HZ = 22_050

Samples = NDArray[np.float32]


def mixes(corpus: Corpus, split: Split, count: int = COUNT) -> tuple[Track, ...]:
    """`count` tracks of kind `mixes`, each a solo voice of one split over an instrumental recording of the same.

    Raises:
        CorpusError: the split has no voice or no instrumental recording, or audio cannot be read.
    """
    root = cache_folder() / KIND / corpus.digest[:16] / f"{split}-{count}"
    if not (root / stems.LISTING).is_file():
        _write(root, corpus, split, count)
    return tuple(replace(track, kind=KIND) for track in stems.read_tracks(root))


def _write(root: Path, corpus: Corpus, split: Split, count: int) -> None:
    voices, music = (_by_turns([t for t in corpus.of(split) if t.kind == k], count) for k in ("voice", "instrumental"))
    rng = np.random.default_rng(SPLITS.index(split))
    rows: list[tuple[str, str, Split]] = []
    levels_db = rng.permutation(np.linspace(*VOICE_DB, count))
    for number, (voice, accompaniment, level_db) in enumerate(zip(voices, music, levels_db, strict=True)):
        assert voice.mixture is not None
        assert accompaniment.mixture is not None
        sung = read_mono(voice.mixture, SAMPLE_RATE_HZ)
        alone = np.zeros(round(ALONE_S * SAMPLE_RATE_HZ), np.float32)
        padded = np.concatenate([alone, sung, alone])
        beneath = _stretch(read_mono(accompaniment.mixture, SAMPLE_RATE_HZ), len(padded), rng)
        vocals = [Segment(s.start_s + ALONE_S, s.end_s + ALONE_S) for s in voice.vocals or ()]
        gain = _gain(padded, beneath, vocals, float(level_db))
        clip = f"{number:02d}_{Path(voice.name).name}"
        stems.write_clip(root, clip, np.float32(gain) * padded, beneath, vocals, SAMPLE_RATE_HZ)
        rows.append((clip, voice.group, split))
    stems.write_listing(root, rows)


def _by_turns(tracks: Sequence[Track], count: int) -> Iterator[Track]:
    """`count` tracks, of each group in turn, evenly from its first to its last; some again where there are fewer."""
    groups: dict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        groups[track.group].append(track)
    if not groups:
        raise CorpusError("mixes need a solo voice and an instrumental recording in each split they are made for")
    turns = list(groups.values())
    rounds = -(-count // len(turns))
    for number in range(count):
        group = turns[number % len(turns)]
        yield group[number // len(turns) * len(group) // rounds]


def _stretch(samples: Samples, count: int, rng: np.random.Generator) -> Samples:
    """`[count]` samples from a random place; a shorter recording is repeated."""
    start = int(rng.integers(max(1, len(samples) - count + 1)))
    return np.take(samples, np.arange(start, start + count), mode="wrap")


def _gain(voice: Samples, accompaniment: Samples, vocals: Sequence[Segment], level_db: float) -> float:
    """What brings the voice, where it sings, `level_db` above the accompaniment there."""
    sung = frame_labels(vocals, len(voice), SAMPLE_RATE_HZ)
    powers = [float(np.square(part[sung], dtype=np.float64).mean()) for part in (voice, accompaniment)]
    return float(np.sqrt(powers[1] / powers[0]) * 10 ** (level_db / 20)) if min(powers) > 0 else 1.0

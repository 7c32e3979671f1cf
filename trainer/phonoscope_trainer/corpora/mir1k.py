"""MIR-1K (Hsu & Jang 2010): karaoke clips with true vocal and accompaniment stems, split by singer.

Layout: `voice/NAME.ogg`, `accompaniment/NAME.ogg`, `labels/NAME.lab`, `splits.csv` with columns clip, singer, split.
Its labels mark the shortest pauses; `merge_gaps_s` closes them as annotators of whole songs do.
"""

from __future__ import annotations

import csv
from pathlib import Path

from phonoscope_trainer.corpora.corpus import Corpus, Track, as_split
from phonoscope_trainer.corpora.labels import merge_gaps, read_lab
from phonoscope_trainer.errors import CorpusError

LICENCE = "MIR-1K: research use"


def load(root: Path, merge_gaps_s: float = 0.5) -> Corpus:
    """The corpus under `root`.

    Raises:
        CorpusError: a file is missing; the message says which.
    """
    listing = root / "splits.csv"
    if not listing.is_file():
        raise CorpusError(f"MIR-1K: {listing} is missing; it names each clip's singer and split")
    tracks = []
    with listing.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            split = as_split(row["split"], f"{listing}: {row['clip']}")
            voice, accompaniment = (root / stem / f"{row['clip']}.ogg" for stem in ("voice", "accompaniment"))
            for path in (voice, accompaniment):
                if not path.is_file():
                    raise CorpusError(f"MIR-1K: {path} is missing")
            vocals = merge_gaps(read_lab(root / "labels" / f"{row['clip']}.lab"), merge_gaps_s)
            tracks.append(Track(row["clip"], row["singer"], split, vocals, voice=voice, accompaniment=accompaniment))
    return Corpus("mir1k", LICENCE, tuple(tracks))

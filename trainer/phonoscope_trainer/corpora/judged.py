"""What a split is judged by: everything in it that people labelled, and what only its parts together can show."""

from __future__ import annotations

from phonoscope_trainer.corpora.corpus import Corpus, Split, Track
from phonoscope_trainer.corpora.mixes import mixes
from phonoscope_trainer.corpora.real import SILVER

MIXED = {"voice", "instrumental"}  # kinds


def judged(corpus: Corpus, split: Split) -> tuple[Track, ...]:
    """The tracks of one split but those whose labels are a model's; of solo voices and instrumentals also mixes.

    Raises:
        CorpusError: audio to mix cannot be read.
    """
    tracks = tuple(track for track in corpus.of(split) if track.kind != SILVER)
    return tracks + (mixes(corpus, split) if {track.kind for track in tracks} >= MIXED else ())

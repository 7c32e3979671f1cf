"""A folder to work in, with a MIR-1K of a few short clips."""

from __future__ import annotations

from phonoscope_trainer.corpora import stems
from phonoscope_trainer.corpora.corpus import Segment

from support.corpora.music import melody

SECONDS = 3


def work_in(folder, patch, listing, sung):
    """Goes there while `patch` holds; `listing` has clips, singers, splits; `sung` is from when to when, in seconds."""
    patch.chdir(folder)
    patch.setenv("PHONOSCOPE_CACHE", str(folder / "cache"))
    patch.setenv("PHONOSCOPE_DATA", str(folder / "data"))
    corpus = folder / "data" / "mir1k"
    for seed, (clip, _, _) in enumerate(listing):
        voice, accompaniment = melody(SECONDS, seed), melody(SECONDS, seed + 9)
        stems.write_clip(corpus, clip, voice, accompaniment, [Segment(*sung)], 22050)
    stems.write_listing(corpus, listing)

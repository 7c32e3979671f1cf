"""What a run learns from, kept beside it: licences, digests, and which recording is in which split."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from phonoscope_trainer.corpora.corpus import SPLITS, Corpus
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.writing import write_text

RECORD = "corpora.json"


def record(folder: Path, corpora: Mapping[str, Corpus]) -> None:
    """Write what the corpora of a run, by the names they were asked for, are; or see that they still are that.

    Raises:
        CheckpointError: the run in `folder` has learned from a corpus that has changed since.
    """
    now = {
        name: {
            "name": corpus.name,
            "licence": corpus.licence,
            "digest": corpus.digest,
            "splits": {split: [track.name for track in corpus.of(split)] for split in SPLITS},
        }
        for name, corpus in corpora.items()
    }
    place = folder / RECORD
    if place.is_file():
        before = json.loads(place.read_text(encoding="utf-8"))
        if changed := [name for name in now if name in before and before[name]["digest"] != now[name]["digest"]]:
            raise CheckpointError(
                f"{folder} has learned from another {changed[0]} (see {place}); name another folder to learn from this"
            )
    folder.mkdir(parents=True, exist_ok=True)
    write_text(place, json.dumps(now, indent=1, ensure_ascii=False) + "\n")

"""The music at hand, as an adopted listener is given it: kept, because every step of an adoption wants it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import torch

from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Corpus, Split
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.recipes.listened import Listened, Progress, answers, listened
from phonoscope_trainer.repository.manifest import TrainingData
from phonoscope_trainer.writing import written_whole

CORPORA = ("real", "mir1k")  # tried unless others are asked for


def corpora_at_hand(names: Sequence[str]) -> list[Corpus]:
    """The corpora asked for; of those that nobody asked for by name, what is there.

    Raises:
        CorpusError: one that was asked for is missing.
    """
    if names:
        return [named.load(name) for name in names]
    found = []
    for name in CORPORA:
        try:
            found.append(named.load(name))
        except CorpusError:
            continue
    return found


def music_of(
    corpora: Sequence[Corpus], split: Split, listener: Listener, count: int, seed: int, progress: Progress
) -> Listened:
    """As `listened`, log-mel kept in the cache in half precision; answers are asked for anew.

    Raises:
        CorpusError: see `listened`.
    """
    said = [[corpus.digest for corpus in corpora], split, asdict(listener.parameters), listener.frames, count, seed]
    key = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    path = cache_folder() / "listened" / f"{listener.name}-{split}-{key}.pt"
    if path.is_file():
        held = torch.load(path, weights_only=True)
        log_mel = held["log_mel"].float()
        tracks = {track.name: track for corpus in corpora for track in corpus.tracks}
        return Listened(
            log_mel,
            answers(listener, log_mel),
            held["track"].numpy(),
            held["start_s"].numpy(),
            tuple(tracks[name] for name in held["names"]),
        )
    found = listened(corpora, split, listener, count, seed, progress)
    held = {
        "log_mel": found.log_mel.half(),
        "track": torch.from_numpy(found.track),
        "start_s": torch.from_numpy(found.start_s),
        "names": [track.name for track in found.tracks],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as unfinished:
        torch.save(held, unfinished)
    return replace(found, log_mel=held["log_mel"].float())


def training_data(corpus: Corpus) -> TrainingData:
    """What a manifest says of a corpus."""
    return TrainingData(corpus.name, corpus.licence, corpus.digest)

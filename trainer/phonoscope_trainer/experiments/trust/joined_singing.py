"""Singing joined to music without it at one level, so that loudness does not tell where somebody sings.

In recordings it does tell: a voice is louder than its own pauses, in karaoke most of all, and whoever orders frames by
their energy finds it. What that says of an explanation is little. Here the part that is sung and the part that is not
are of two recordings of one corpus, both as people's annotations have them, and as loud as each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import every_place, log_mel_at
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.excerpts import CANDIDATES
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.localisation import LocalisationOptions, PartlySung, sung_shares
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.graphs.exchange import at_level_of, level
from phonoscope_trainer.recipes.detector.excerpts import LONE_KINDS

SURE = 0.95  # share of frames from which on an excerpt is sung, or is not
SHARES = (0.3, 0.7)  # of the frames, where the second recording may begin
QUIETEST_NEPER = 2.0  # below the sung excerpt: music that is softer, or silence, is not made as loud as it


def joined_singing(
    name: str, tracks: Sequence[Features], frontend: Frontend, explained: ExplainedNetwork, options: LocalisationOptions
) -> PartlySung:
    """Excerpts that the detector calls vocal, half of them sung at the beginning; `track` is that of the voice.

    Raises:
        CorpusError: the corpus has no excerpt that is sung throughout, or none that is not, or it calls none vocal.
    """
    places, shares = every_place(tracks), np.concatenate([sung_shares(track.labels) for track in tracks])
    is_music = np.array([track.track.kind not in LONE_KINDS for track in tracks])[places[:, 0]]
    sung, unsung = places[is_music & (shares >= SURE)], places[is_music & (shares <= 1 - SURE)]
    if not (len(sung) and len(unsung)):
        raise CorpusError(f"{name}: of music it has {len(sung)} sung excerpts and {len(unsung)} others")
    rng = np.random.default_rng((options.seed, 1))
    parts: list[tuple[Tensor, NDArray[np.bool_], NDArray[np.int64]]] = []
    for _ in range(-(-8 * options.excerpts // CANDIDATES)):  # of which an eighth is enough
        chosen = sung[rng.choice(len(sung), CANDIDATES)]
        voice = log_mel_at(tracks, chosen, frontend)
        other = log_mel_at(tracks, unsung[rng.choice(len(unsung), CANDIDATES)], frontend)
        loud = (level(other) >= level(voice) - QUIETEST_NEPER).flatten().numpy()
        log_mel, has = _joined(voice, at_level_of(voice, other), rng)
        kept = loud & explained.is_vocal(log_mel).numpy()
        parts.append((log_mel[kept], has[kept], chosen[kept, 0]))
        if sum(len(track) for _, _, track in parts) >= options.excerpts:
            break
    pictures, has, track = (
        torch.cat([p for p, _, _ in parts]),
        *(np.concatenate([p[n] for p in parts]) for n in (1, 2)),
    )
    if not len(track):
        raise CorpusError(f"{name}: the detector calls no joined excerpt vocal")
    first = slice(0, options.excerpts)
    return PartlySung(pictures[first], has[first], None, track[first])


def _joined(voice: Tensor, other: Tensor, rng: np.random.Generator) -> tuple[Tensor, NDArray[np.bool_]]:
    """`[B, T, M]` and, of `[B, T]` frames, those that are sung."""
    frame = np.arange(EXCERPT_FRAMES)
    first, last = (round(share * EXCERPT_FRAMES) for share in SHARES)
    cut = rng.integers(first, last, size=(len(voice), 1))
    has = (frame < cut) == (rng.random((len(voice), 1)) < 1 / 2)
    return torch.where(torch.from_numpy(has)[:, :, None], voice, other), has

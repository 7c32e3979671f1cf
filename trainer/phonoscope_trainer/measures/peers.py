"""Other people's detectors of singing, judged on the same recordings under the same protocol as ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora import omnivad
from phonoscope_trainer.measures.listeners import Listener


@dataclass(frozen=True, slots=True)
class Peer:
    """A public detector, with the threshold it is published with."""

    name: str
    listener: Listener
    threshold: float
    says: str  # what its probability is of
    licence: str


def _voice(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of speech or singing, the larger of the two: rap and talk-singing are speech to it."""
    return np.asarray(omnivad.probabilities(samples)[:, :2].max(axis=1))


PEERS: Mapping[str, Peer] = {
    peer.name: peer for peer in (Peer("omnivad", _voice, 0.5, "singing or speech", omnivad.LICENCE),)
}

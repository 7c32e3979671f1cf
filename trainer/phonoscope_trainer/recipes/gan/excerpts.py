"""What the generator learns from: log-mel excerpts of any music, unlabelled, held in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.corpora.excerpts import every_place
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend

HOP_FRAMES = 10  # between the places where excerpts begin


class LogMelBank:
    """The log-mels of some corpora, on the device that trains; each corpus is drawn equally often, and its every place.

    What is drawn depends on the seeds given alone, so a resumed run sees the batches it would have seen. A GPU draws
    thousands of batches a second from memory, none from files; an hour of music takes 40 MB.

    Raises:
        OptionsError: a corpus has no track as long as an excerpt.
    """

    def __init__(
        self, corpora: Sequence[Sequence[Features]], frontend: Frontend, device: torch.device | str = "cpu"
    ) -> None:
        parts: list[Tensor] = []
        for track in tqdm([track for corpus in corpora for track in corpus], desc="log-mels", unit="track"):
            magnitude = torch.from_numpy(track.magnitudes[0].astype(np.float32))
            parts.append(frontend.log_mel(magnitude).half())  # rounds by 1 % of the magnitude at most
        begins = np.cumsum([0, *map(len, parts)])  # of every track in all music
        self.starts: list[NDArray[np.int64]] = []  # first frames of every corpus' excerpts in all music
        for corpus in corpora:
            track, first = every_place(corpus, HOP_FRAMES).T
            self.starts.append(begins[track] + first)
            begins = begins[len(corpus) :]
        if not self.starts or not all(map(len, self.starts)):
            raise OptionsError(f"corpora: every one needs a track of at least {EXCERPT_FRAMES} frames")
        self.log_mels = torch.cat(parts).to(device)

    def draw(self, count: int, *seeds: int) -> Tensor:
        """`[count, 115, M]` log-mel excerpts of mixtures, float32."""
        rng = np.random.default_rng(seeds)
        corpora = rng.integers(len(self.starts), size=count)
        starts = np.array([rng.choice(self.starts[corpus]) for corpus in corpora])
        places = torch.from_numpy(starts[:, None] + np.arange(EXCERPT_FRAMES))
        return self.log_mels[places.to(self.log_mels.device)].float()

    def mean(self) -> float:
        """Mean log-mel of all music and bands."""
        return float(self.log_mels.mean(dtype=torch.float64))

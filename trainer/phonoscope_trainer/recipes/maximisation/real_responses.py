"""How a detector responds to all training music, and the excerpts that it responds to most (2019, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.maximisation.response import Response
from phonoscope_trainer.writing import written_whole

HOP_FRAMES = 50  # from one excerpt to the next
HEARD_AT_ONCE = 8  # excerpts; their activations stay in the processor's cache

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RealResponses:
    """Responses to every excerpt, and the excerpts at both ends."""

    responses: Floats  # [E], in the order of the tracks
    highest: Floats  # [N, 115, 80] log-mels, the highest response first
    lowest: Floats  # [N, 115, 80], the lowest first

    def ranked(self, count: int, sign: int) -> Floats:
        """The `count` highest responses for a `sign` of 1, the lowest for -1."""
        ordered = np.sort(self.responses)
        return ordered[-count:][::-1] if sign > 0 else ordered[:count]

    def save(self, path: Path) -> None:
        """Keep them in one file, whole or not at all."""
        with written_whole(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, responses=self.responses, highest=self.highest, lowest=self.lowest)

    @staticmethod
    def load(path: Path) -> RealResponses:
        """What `save` kept."""
        with np.load(path) as stored:
            return RealResponses(stored["responses"], stored["highest"], stored["lowest"])


@torch.no_grad()
def real_responses(
    tracks: Iterable[Features],
    frontend: Frontend,
    network: SVDNet,
    standardise: Standardise,
    response: Response,
    count: int,
) -> RealResponses:
    """Hear every excerpt of 115 frames, 50 frames apart, of all tracks' mixtures.

    Raises:
        OptionsError: there are fewer than `count` excerpts.
    """
    responses: list[Floats] = []
    kept: list[tuple[float, Floats]] = []
    for track in tracks:
        log_mel = frontend.log_mel(torch.from_numpy(track.magnitudes[0].astype(np.float32)))
        if len(log_mel) < EXCERPT_FRAMES:
            continue
        excerpts = log_mel.unfold(0, EXCERPT_FRAMES, HOP_FRAMES).transpose(1, 2)
        found = torch.cat([response.of(network, standardise(part)) for part in excerpts.split(HEARD_AT_ONCE)]).numpy()
        responses.append(found)
        kept += zip(found.tolist(), excerpts.numpy(), strict=True)
        kept.sort(key=lambda pair: pair[0])
        if len(kept) > 2 * count:
            kept = [(value, excerpt.copy()) for value, excerpt in (*kept[:count], *kept[-count:])]
    if len(kept) < count:
        raise OptionsError(f"seeds is {count}, but the training music has only {len(kept)} excerpts")
    ends = [excerpt for _, excerpt in kept]
    return RealResponses(np.concatenate(responses), np.stack(ends[-count:][::-1]), np.stack(ends[:count]))

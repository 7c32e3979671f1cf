"""Explanations that are heard: the region as sound, through the front-end and the detector again.

A mask that only works as numbers is adversarial; one that points at something in the sound survives being listened to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.audio import read_sum
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.experiments.explanation.detector import ExplainedDetector
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.description import EXCERPT_SAMPLES
from phonoscope_trainer.graphs.listen import ListenGraph


class HeardExplanations:
    """Labels of what is heard when everything outside a region is attenuated, with the recording's own phase."""

    def __init__(self, tracks: Sequence[Track], detector: ExplainedDetector, outside_db: float) -> None:
        self.tracks, self.detector = tracks, detector
        self.outside_gain = 10 ** (-outside_db / 20)
        self.frontend, self.listen = Frontend(FRONTEND), ListenGraph(FRONTEND)
        self._read: tuple[int, Tensor] | None = None  # the track that was read last

    @torch.inference_mode()
    def __call__(self, excerpts: Excerpts, masks: Tensor) -> Tensor:
        """Whether the sound of each of `masks` `[B, 115, 80]` is vocal, `[B]`.

        Raises:
            CorpusError: a track cannot be read.
        """
        samples = torch.stack(
            [
                self._samples(int(track))[first * FRONTEND.hop_samples :][:EXCERPT_SAMPLES]
                for track, first in zip(excerpts.track, excerpts.first_frame, strict=True)
            ]
        )
        gain = torch.full((len(samples), 1), self.outside_gain)
        heard = self.frontend(self.listen(samples, masks, gain))
        return self.detector.is_vocal(self.detector.standardise(heard))

    def _samples(self, track: int) -> Tensor:
        if self._read is None or self._read[0] != track:
            samples = read_sum(self.tracks[track].audio, FRONTEND.sample_rate_hz)
            self._read = (track, torch.from_numpy(np.ascontiguousarray(samples)))
        return self._read[1]

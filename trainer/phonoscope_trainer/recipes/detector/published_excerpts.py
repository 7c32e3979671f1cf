"""Training batches of Schlüter & Grill 2015: single excerpts, drawn evenly from all frames, varied in seven ways.

Differences from the paper's data: magnitudes are kept up to 8 kHz, so where a shift down asks for more, the last bin
stands for all above it; and the affine transform interpolates linearly, where the paper fits splines.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.excerpts import place_counts
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import augment

FILTER_HZ = (150.0, 8000.0)  # log-uniform centre of the random filter
FILTER_SEMITONES = (5.0, 2.0)  # mean and standard deviation of its width (released code)
STUDIED = {  # strengths compared there, one kind at a time; docs/training.md says which were checked
    "input_dropout": (0.1, 0.2),
    "input_noise": (0.05, 0.1, 0.2),
    "pitch_shift": (0.1, 0.2, 0.3, 0.5),
    "time_stretch": (0.1, 0.2, 0.3, 0.5),
    "loudness_db": (5.0, 10.0, 20.0),
    "filter_db": (5.0, 10.0, 20.0),
    "mixing": (0.1, 0.2, 0.3, 0.5),
}


@dataclass(frozen=True, slots=True)
class PublishedOptions:
    """The strength of each kind of augmentation; the defaults are the combination the paper ends with, 0 is off."""

    batch: int = 32
    input_dropout: float = 0.0  # share of bins
    input_noise: float = 0.0  # standard deviation, in those of the bands
    pitch_shift: float = 0.3  # largest relative change, either way
    time_stretch: float = 0.3  # likewise
    loudness_db: float = 0.0  # likewise
    filter_db: float = 10.0  # largest gain or cut
    mixing: float = 0.0  # largest share of an excerpt in which nobody sings

    def __post_init__(self) -> None:
        at_least(1, self, "batch")
        for name, limit in (("input_dropout", 1.0), ("pitch_shift", 0.5), ("time_stretch", 0.5), ("mixing", 1.0)):
            if not 0 <= getattr(self, name) <= limit:
                raise OptionsError(f"{name} must be between 0 and {limit}, got {getattr(self, name)}")
        for name in ("input_noise", "loudness_db", "filter_db"):
            if not getattr(self, name) >= 0:
                raise OptionsError(f"{name} must be at least 0, got {getattr(self, name)}")

    @property
    def source_frames(self) -> int:
        """Frames read for an excerpt: 164 where time is stretched by 0.3."""
        return int(EXCERPT_FRAMES / (1 - self.time_stretch))


class PublishedSampler:
    """Draws excerpts without replacement until all are used, then shuffles anew; varies them on `device`."""

    def __init__(
        self,
        tracks: Sequence[Features],
        frontend: Frontend,
        standardise: Standardise,
        options: PublishedOptions,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.options, self.seed, self.device = options, seed, torch.device(device)
        self.frontend = copy.deepcopy(frontend).to(device)
        self.standardise = copy.deepcopy(standardise).to(device)
        self.tracks = [track for track in tracks if len(track.labels) >= options.source_frames]
        if not self.tracks:
            raise OptionsError(f"no training track has the {options.source_frames} frames an excerpt is read from")
        centre = options.source_frames // 2
        counts = place_counts(self.tracks, excerpt_frames=options.source_frames)
        self.first = np.concatenate([[0], np.cumsum(counts)])  # number of each track's first excerpt; of all excerpts
        sung = np.concatenate([t.labels[centre : centre + n] for t, n in zip(self.tracks, counts, strict=True)])
        self.unsung = np.flatnonzero(~sung)
        if options.mixing and not len(self.unsung):
            raise OptionsError("mixing needs excerpts in which nobody sings, and the training tracks have none")
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Log-mel `[B, 115, 80]` and labels `[B, 1]` (float32, 0 or 1) of the step-th batch."""
        rng, options = np.random.default_rng([self.seed, step]), self.options
        numbers = self._numbers(step)
        magnitude, labels = self._varied(numbers, rng)
        if options.mixing:
            negative, _ = self._varied(rng.choice(self.unsung, options.batch), rng)
            magnitude = augment.blend(magnitude, negative, self._uniform(rng, 0, options.mixing))
        log_mel = self.frontend.log_mel(magnitude)
        centre_hz = torch.exp(self._uniform(rng, *np.log(FILTER_HZ)))
        gain_db = self._uniform(rng, -options.filter_db, options.filter_db)
        width = torch.from_numpy(rng.normal(*FILTER_SEMITONES, options.batch)).float().to(self.device)
        log_mel = augment.random_filter(log_mel, self.frontend.options, centre_hz, gain_db, width)
        return self._corrupted(log_mel, rng), labels

    def _numbers(self, step: int) -> NDArray[np.int64]:
        """Which excerpts are the step-th batch."""
        total = int(self.first[-1])
        passes, places = np.divmod(np.arange(step * self.options.batch, (step + 1) * self.options.batch), total)
        return np.array([self._order(int(p))[place] for p, place in zip(passes, places, strict=True)])

    def _shuffled(self, passed: int) -> NDArray[np.int64]:
        """The order of all excerpts after `passed` passes over them."""
        return np.random.default_rng([self.seed, passed, 1]).permutation(int(self.first[-1]))

    def _varied(self, numbers: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Magnitudes `[B, 115, bins]`, stretched, shifted and scaled, and labels `[B, 1]` of the numbered excerpts."""
        options, frames = self.options, self.options.source_frames
        magnitudes, labels = [], []
        for number in numbers:
            at = int(np.searchsorted(self.first, number, side="right")) - 1
            start = int(number - self.first[at])
            magnitudes.append(self.tracks[at].magnitudes[0, start : start + frames].astype(np.float32))
            labels.append(self.tracks[at].labels[start + frames // 2])
        longer = self._uniform(rng, 1 - options.time_stretch, 1 + options.time_stretch)
        higher = self._uniform(rng, 1 - options.pitch_shift, 1 + options.pitch_shift)
        source = torch.from_numpy(np.stack(magnitudes)).to(self.device)
        warped = augment.stretch_and_shift(source, EXCERPT_FRAMES, 1 / longer, higher)
        louder_db = self._uniform(rng, -options.loudness_db, options.loudness_db)
        sung = torch.from_numpy(np.array(labels, np.float32)).to(self.device)
        return augment.change_level(warped, louder_db), sung[:, None]

    def _corrupted(self, log_mel: Tensor, rng: np.random.Generator) -> Tensor:
        """Input dropout and Gaussian noise, generated on the tensor's device."""
        options = self.options
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        if options.input_dropout:
            drawn = torch.rand(log_mel.shape, generator=generator, device=self.device)
            log_mel = augment.drop_inputs(log_mel, drawn >= options.input_dropout, self.standardise.mean)
        if options.input_noise:
            normal = torch.randn(log_mel.shape, generator=generator, device=self.device)
            deviation = torch.full((len(log_mel),), options.input_noise, device=self.device)
            log_mel = augment.add_input_noise(log_mel, deviation, normal, self.standardise.std)
        return log_mel

    def _uniform(self, rng: np.random.Generator, low: float, high: float) -> Tensor:
        """One value for each row of a batch."""
        return torch.from_numpy(rng.uniform(low, high, self.options.batch)).float().to(self.device)

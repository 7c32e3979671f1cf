"""Training batches: random excerpts of random mixtures, drawn from a seed and a step number alone.

A batch depends on nothing else, so a resumed run sees exactly the batches it would have seen.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.svdnet import FRAMES_PER_STEP
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes import augment


@dataclass(frozen=True, slots=True)
class ExcerptOptions:
    """How excerpts are drawn and varied; ranges are uniform unless stated."""

    rows: int = 16  # stretches of music a batch
    excerpts_per_row: int = 17  # overlapping excerpts in each, nine frames apart, sharing their convolutions
    stretch: tuple[float, float] = (0.75, 1.3)
    shift: tuple[float, float] = (0.75, 1.3)
    level_db: float = 8.0  # standard deviation of the whole excerpt's level
    filter_db: float = 10.0  # largest gain or cut of the random filter
    filter_hz: tuple[float, float] = (150.0, 8000.0)  # log-uniform centre
    noise_share: float = 0.3  # of rows with added noise
    noise_db: tuple[float, float] = (-70.0, -30.0)  # its level below the excerpt's
    remix_share: float = 0.75  # of rows with stems whose stems are balanced anew
    foreign_share: float = 0.4  # of those, accompanied by another track
    voice_db: tuple[float, float] = (1.0, 6.0)  # mean and standard deviation of voice over accompaniment
    no_voice_share: float = 0.35  # of remixed rows; stems make true negatives
    only_voice_share: float = 0.05

    def __post_init__(self) -> None:
        at_least(1, self, "rows", "excerpts_per_row")
        if not self.level_db >= 0:
            raise OptionsError(f"level_db must be at least 0, got {self.level_db}")
        for name in ("stretch", "shift"):
            low, high = getattr(self, name)
            if not 0.5 <= low <= high <= 2:
                raise OptionsError(f"{name}: needs 0.5 <= low <= high <= 2, got {low}, {high}")

    @property
    def frames(self) -> int:
        """Frames in a row after stretching."""
        return EXCERPT_FRAMES + FRAMES_PER_STEP * (self.excerpts_per_row - 1)

    @property
    def source_frames(self) -> int:
        """Frames read for a row: enough for the strongest stretch."""
        return int(np.ceil(self.frames * self.stretch[1])) + 1


class ExcerptSampler:
    """Draws batches from the features of several corpora.

    A corpus is drawn in proportion to the square root of its length: a small one is neither drowned nor worn out.
    Excerpts are read and mixed on the CPU and varied on `device`.
    """

    def __init__(
        self,
        corpora: Sequence[Sequence[Features]],
        frontend: Frontend,
        options: ExcerptOptions,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.corpora = [list(corpus) for corpus in corpora]
        if not self.corpora or not all(self.corpora):
            raise OptionsError("every training corpus needs at least one track in its train split")
        self.frontend = copy.deepcopy(frontend).to(device)
        self.options, self.seed, self.device = options, seed, torch.device(device)
        lengths = [np.array([len(f.labels) for f in corpus], float) for corpus in self.corpora]
        self.weights = [length / length.sum() for length in lengths]
        roots = np.sqrt([length.sum() for length in lengths])
        self.shares = roots / roots.sum()

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Log-mel `[B, T, M]` and labels `[B, S]` (float32, 0 or 1) of the step-th batch."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [self._row(rng) for _ in range(self.options.rows)]
        magnitude = torch.from_numpy(np.stack([magnitude for magnitude, _ in drawn]))
        labels = torch.from_numpy(np.stack([labels for _, labels in drawn]))
        return self._vary(magnitude.to(self.device), labels.to(self.device), rng)

    def _row(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Magnitudes `[T, bins]` and labels `[T]` of one stretch of music, mixed but not yet varied."""
        options, track = self.options, self._track(rng)
        parts, labels = self._window(track, rng)
        if not track.has_stems or rng.random() >= options.remix_share:
            return parts[0], labels
        voice, accompaniment = parts[1], parts[2]
        if rng.random() < options.foreign_share:
            other, _ = self._window(self._track(rng), rng)
            accompaniment = other[-1] if len(other) > 1 else accompaniment
        choice = rng.random()
        if choice < options.no_voice_share:
            return accompaniment, np.zeros_like(labels)
        if choice < options.no_voice_share + options.only_voice_share:
            return voice, labels
        voice = voice * balance(voice, accompaniment, rng.normal(*options.voice_db))
        phase = rng.uniform(0, 2 * np.pi, voice.shape).astype(np.float32)
        mixed = augment.mix(*(torch.from_numpy(x)[None] for x in (voice, accompaniment, phase)))
        return mixed[0].numpy(), labels

    def _track(self, rng: np.random.Generator) -> Features:
        corpus = int(rng.choice(len(self.corpora), p=self.shares))
        return self.corpora[corpus][int(rng.choice(len(self.weights[corpus]), p=self.weights[corpus]))]

    def _window(self, track: Features, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Parts `[P, T, bins]` and labels `[T]` of a random stretch; a shorter track is repeated."""
        frames = self.options.source_frames
        start = int(rng.integers(max(1, len(track.labels) - frames + 1)))
        at = np.arange(start, start + frames)
        if at[-1] >= len(track.labels):
            at %= len(track.labels)
            return track.magnitudes[:, at].astype(np.float32), track.labels[at].astype(np.float32)
        window = slice(start, start + frames)
        return track.magnitudes[:, window].astype(np.float32), track.labels[window].astype(np.float32)

    def _vary(self, magnitude: Tensor, labels: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Stretch, shift, level, noise, mel, logarithm, filter; and the labels of each excerpt's centre."""
        options, rows = self.options, self.options.rows

        def uniform(low: float, high: float) -> Tensor:
            return torch.from_numpy(rng.uniform(low, high, rows)).float().to(self.device)

        def normal(*shape: int) -> Tensor:
            return torch.from_numpy(rng.standard_normal(shape)).float().to(self.device)

        stretch, shift = uniform(*options.stretch), uniform(*options.shift)
        at = augment.source_frame_of(options.frames, magnitude.shape[1], stretch)
        centres = at[:, CONTEXT_FRAMES::FRAMES_PER_STEP][:, : options.excerpts_per_row]
        warped = augment.stretch_and_shift(magnitude, options.frames, stretch, shift)
        level_db = options.level_db * normal(rows)
        noise = torch.exp(uniform(*options.noise_db) * augment.LN_PER_DECIBEL) * warped.amax((1, 2))
        noise = noise * (uniform(0, 1) < options.noise_share)
        parts = torch.from_numpy(rng.standard_normal((2, *warped.shape), dtype=np.float32)).to(self.device)
        warped = augment.add_noise(warped, noise, parts[0], parts[1])
        log_mel = self.frontend.log_mel(augment.change_level(warped, level_db))
        centre_hz = torch.exp(uniform(*(float(np.log(hz)) for hz in options.filter_hz)))
        gain_db = uniform(-options.filter_db, options.filter_db)
        width = 5 + 2 * normal(rows)
        log_mel = augment.random_filter(log_mel, self.frontend.options, centre_hz, gain_db, width)
        return log_mel, torch.gather(labels, 1, centres)


def balance(voice: NDArray[np.float32], accompaniment: NDArray[np.float32], voice_db: float) -> float:
    """Gain that brings the voice `voice_db` above the accompaniment; 1 where either is silent."""
    energy, other = float(np.square(voice).mean()), float(np.square(accompaniment).mean())
    if min(energy, other) < 1e-8:
        return 1.0
    return float(np.sqrt(other / energy) * 10 ** (voice_db / 20))

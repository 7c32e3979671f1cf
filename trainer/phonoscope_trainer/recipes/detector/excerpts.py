"""Training batches: random excerpts of random mixtures, drawn from a seed and a step number alone.

A batch depends on nothing else, so a resumed run sees exactly the batches it would have seen.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

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
from phonoscope_trainer.recipes.detector.hidden import HiddenOptions, hidden_in_part
from phonoscope_trainer.recipes.detector.lone_voice import LoneVoiceOptions, produced, random_phase
from phonoscope_trainer.recipes.detector.variation import Variation, VariationOptions

LONE_KINDS = ("voice", "speech", "played")  # recordings of nothing but a voice, or of what could be taken for one


@dataclass(frozen=True, slots=True)
class ExcerptOptions:
    """How excerpts are drawn and mixed; ranges are uniform unless stated."""

    rows: int = 16  # stretches of music a batch
    excerpts_per_row: int = 17  # overlapping excerpts in each, nine frames apart, sharing their convolutions
    remix_share: float = 0.75  # of rows with stems whose stems are balanced anew
    foreign_share: float = 0.4  # of those, accompanied by another track
    voice_db: tuple[float, float] = (1.0, 6.0)  # mean and standard deviation of voice over its own accompaniment
    foreign_voice_db: tuple[float, float] = (-9.0, 9.0)  # of voice over another track's
    no_voice_share: float = 0.35  # of remixed rows; stems make true negatives
    only_voice_share: float = 0.05
    accompanied_share: float = 0.7  # of rows with a lone voice that is put over music in which nobody sings
    lone_voice: LoneVoiceOptions = field(default_factory=LoneVoiceOptions)  # of every voice that is mixed anew
    variation: VariationOptions = field(default_factory=VariationOptions)
    hidden: HiddenOptions = field(default_factory=HiddenOptions)

    def __post_init__(self) -> None:
        at_least(1, self, "rows", "excerpts_per_row")

    @property
    def frames(self) -> int:
        """Frames in a row after stretching."""
        return EXCERPT_FRAMES + FRAMES_PER_STEP * (self.excerpts_per_row - 1)

    @property
    def source_frames(self) -> int:
        """Frames read for a row: enough for the strongest stretch."""
        return int(np.ceil(self.frames * self.variation.stretch[1])) + 1


class ExcerptSampler:
    """Draws batches from the features of several corpora.

    A corpus, and each kind of recording in one, is drawn in proportion to the square root of its length: a small one is
    neither drowned nor worn out. Excerpts are read and mixed on the CPU and varied on `device`.
    """

    def __init__(
        self,
        corpora: Sequence[Sequence[Features]],
        frontend: Frontend,
        options: ExcerptOptions,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        if not corpora or not all(corpora):
            raise OptionsError("every training corpus needs at least one track in its train split")
        self.frontend = copy.deepcopy(frontend).to(device)
        self.options, self.seed, self.device = options, seed, torch.device(device)
        self.variation = Variation(options.variation, frontend.options, self.device)
        self.music = _Pools([pool for corpus in corpora for pool in _by_kind(corpus)])
        unsung = [[track for track in pool if _has_unsung_music(track)] for pool in self.music.pools]
        self.accompaniments = _Pools([pool for pool in unsung if pool])

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Log-mel `[B, T, M]` and labels `[B, S]` (float32, 0 to 1, NaN: unknown) of the step-th batch."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [self._row(rng) for _ in range(self.options.rows)]
        magnitude, labels = (torch.stack(parts).to(self.device) for parts in zip(*drawn, strict=True))
        stretch, shift = self.variation.tempo_and_pitch(len(drawn), rng)
        at = augment.source_frame_of(self.options.frames, magnitude.shape[1], stretch)
        centres = at[:, CONTEXT_FRAMES::FRAMES_PER_STEP][:, : self.options.excerpts_per_row]
        played = augment.stretch_and_shift(magnitude, self.options.frames, stretch, shift)
        log_mel, sung = self.frontend.log_mel(self.variation.recorded(played, rng)), torch.gather(labels, 1, centres)
        return hidden_in_part(log_mel, sung, self.options.hidden, rng), sung

    def _row(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Magnitudes `[T, bins]` and labels `[T]` of one stretch of music, mixed but not yet varied."""
        options, track = self.options, self.music.draw(rng)
        parts, labels = self._window(track, rng)
        if track.track.kind in LONE_KINDS:
            voice, labels = produced(parts[0], labels, options.lone_voice, rng)
            if not self.accompaniments.pools or rng.random() >= options.accompanied_share:
                return voice, labels
            return self._over(voice, self._accompaniment(rng), rng.uniform(*options.foreign_voice_db), rng), labels
        if not track.has_stems or rng.random() >= options.remix_share:
            return parts[0], labels
        voice, accompaniment, level_db = parts[1], parts[2], rng.normal(*options.voice_db)
        if rng.random() < options.foreign_share:
            accompaniment, level_db = self._accompaniment(rng), rng.uniform(*options.foreign_voice_db)
        choice = rng.random()
        if choice < options.no_voice_share:
            return accompaniment, torch.zeros_like(labels)
        voice, labels = produced(voice, labels, options.lone_voice, rng)
        if choice < options.no_voice_share + options.only_voice_share:
            return voice, labels
        return self._over(voice, accompaniment, level_db, rng), labels

    def _accompaniment(self, rng: np.random.Generator) -> Tensor:
        """Magnitudes `[T, bins]` of any music in which nobody sings."""
        parts, _ = self._window(self.accompaniments.draw(rng), rng)
        return parts[-1]

    @staticmethod
    def _over(voice: Tensor, accompaniment: Tensor, voice_db: float, rng: np.random.Generator) -> Tensor:
        voice = voice * balance(voice, accompaniment, voice_db)
        return augment.mix(voice, accompaniment, random_phase(voice, rng))

    def _window(self, track: Features, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Parts `[P, T, bins]` and labels `[T]` of a random stretch; a shorter track is repeated."""
        frames = self.options.source_frames
        start = int(rng.integers(max(1, len(track.labels) - frames + 1)))
        at: NDArray[np.int64] | slice = slice(start, start + frames)
        if start + frames > len(track.labels):
            at = np.arange(start, start + frames) % len(track.labels)
        parts, labels = track.magnitudes[:, at].astype(np.float32), track.targets[at]
        return torch.from_numpy(parts), torch.from_numpy(labels)


class _Pools:
    """Groups of tracks: each is drawn by the root of its length, within it a track by its length."""

    def __init__(self, pools: Sequence[Sequence[Features]]) -> None:
        self.pools = pools
        lengths = [np.array([len(track.labels) for track in pool], float) for pool in pools]
        self.weights = [length / length.sum() for length in lengths]
        roots = np.sqrt([length.sum() for length in lengths])
        self.shares = roots / roots.sum()

    def draw(self, rng: np.random.Generator) -> Features:
        pool = int(rng.choice(len(self.pools), p=self.shares))
        return self.pools[pool][int(rng.choice(len(self.weights[pool]), p=self.weights[pool]))]


def _by_kind(corpus: Sequence[Features]) -> list[list[Features]]:
    kinds = dict.fromkeys(track.track.kind for track in corpus)
    return [[track for track in corpus if track.track.kind == kind] for kind in kinds]


def _has_unsung_music(track: Features) -> bool:
    """Whether the last of its parts is music in which nobody sings."""
    return track.has_stems or (track.track.kind not in LONE_KINDS and not track.labels.any())


def balance(voice: Tensor, accompaniment: Tensor, voice_db: float) -> float:
    """Gain that brings the voice `voice_db` above the accompaniment; 1 where either is silent."""
    energy, other = float(voice.square().mean()), float(accompaniment.square().mean())
    if min(energy, other) < 1e-8:
        return 1.0
    return float(np.sqrt(other / energy) * 10 ** (voice_db / 20))

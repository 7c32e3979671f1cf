"""What becomes of a voice before it is put over music: another singer's, doubled, in a room, with rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.recipes import augment

Range = tuple[float, float]
HARMONIES = (-12, -5, -4, -3, 3, 4, 5, 7, 12)  # semitones


@dataclass(frozen=True, slots=True)
class LoneVoiceOptions:
    """How often, of the rows with a voice of its own, and how strongly; ranges are uniform."""

    other_singer_share: float = 0.4  # moved by itself, formants and all, as by a larger or smaller singer
    other_singer_semitones: float = 3.0  # standard deviation
    doubled_share: float = 0.25  # by a second take or, `harmony_share` of them, at another pitch
    harmony_share: float = 0.5
    double_db: Range = (-12.0, -2.0)
    detune_semitones: float = 0.15  # standard deviation of a second take's
    delay_frames: int = 3  # a second take comes at most so late
    room_share: float = 0.5
    room_db: Range = (-20.0, -3.0)  # the tail of a lasting tone
    room_s: Range = (0.3, 2.5)  # in which it falls by 60 dB
    rest_share: float = 0.3  # with a rest put in, where the music goes on alone
    rest_s: Range = (0.3, 1.6)

    def __post_init__(self) -> None:
        for name in ("other_singer_share", "doubled_share", "harmony_share", "room_share", "rest_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionsError(f"{name} must be between 0 and 1, got {getattr(self, name)}")


UNPRODUCED = LoneVoiceOptions(other_singer_share=0, doubled_share=0, room_share=0, rest_share=0)


def produced(
    voice: Tensor, labels: Tensor, options: LoneVoiceOptions, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Magnitudes `[T, F]` and labels `[T]` of a voice after the studio."""
    if rng.random() < options.other_singer_share:
        voice = _moved(voice, float(rng.normal(0, options.other_singer_semitones)))
    if rng.random() < options.rest_share:
        frames = round(float(rng.uniform(*options.rest_s)) * FRONTEND.frames_per_second)
        first = int(rng.integers(max(1, len(voice) - frames)))
        sings = torch.ones(len(voice))
        sings[first : first + frames] = 0
        voice, labels = voice * sings[:, None], labels * sings
    if rng.random() < options.doubled_share:
        voice = _doubled(voice, options, rng)
    if rng.random() < options.room_share:
        wet_db = torch.tensor([rng.uniform(*options.room_db)]).float()
        decay_frames = torch.tensor([rng.uniform(*options.room_s) * FRONTEND.frames_per_second]).float()
        voice = augment.reverberate(voice[None], wet_db, decay_frames, random_phase(voice, rng)[None])[0]
    return voice, labels


def _doubled(voice: Tensor, options: LoneVoiceOptions, rng: np.random.Generator) -> Tensor:
    semitones = float(rng.choice(HARMONIES)) if rng.random() < options.harmony_share else 0.0
    second = _moved(voice, semitones + float(rng.normal(0, options.detune_semitones)))
    late = int(rng.integers(options.delay_frames + 1))
    second = torch.cat([torch.zeros(late, voice.shape[1]), second[: len(voice) - late]])
    second = second * 10 ** (float(rng.uniform(*options.double_db)) / 20)
    return augment.mix(voice, second, random_phase(voice, rng))


def _moved(voice: Tensor, semitones: float) -> Tensor:
    """A voice `[T, F]` at another pitch, its formants moved with it."""
    shift = torch.tensor([2 ** (semitones / 12)]).float()
    return augment.stretch_and_shift(voice[None], len(voice), torch.ones(1), shift)[0]


def random_phase(like: Tensor, rng: np.random.Generator) -> Tensor:
    """Phases between signals that have nothing to do with each other, radians, uniform, in the shape of `like`."""
    return torch.from_numpy(rng.random(like.shape, dtype=np.float32)) * (2 * torch.pi)

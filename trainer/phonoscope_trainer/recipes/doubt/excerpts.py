"""What the detector makes of music and of foreign sounds: what doubt is fitted to, and judged by.

Pieces are heard rather than excerpts: every ninth frame of one begins an excerpt, and all of them share most of the
detector's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.excerpts import drawn_places, log_mel_at, place_counts
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.corpora.foreign import MUSICAL, foreign_sound
from phonoscope_trainer.corpora.made_clips import SAMPLE_RATE_HZ
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, Frontend
from phonoscope_trainer.networks.doubt import bands_of, maps_of
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import FC7_INPUT, FRAMES_PER_STEP, SVDNet

EXCERPTS_OF_A_PIECE = 16
PIECE_FRAMES = EXCERPT_FRAMES + FRAMES_PER_STEP * (EXCERPTS_OF_A_PIECE - 1)
PIECE_S = 8.0  # of music that becomes foreign
BATCH = 4  # pieces
FLAT = {"fc7": "fc7", "fc8": "fc8", "fc9": "logit"}  # layers without positions, and what they are called here

Samples = NDArray[np.floating]
Progress = Callable[[Iterable[str]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Ear:
    """The detector as doubt sees it."""

    network: SVDNet
    standardise: Standardise
    frontend: Frontend
    inverter: Callable[[Tensor], Tensor] | None = None  # FC8 features `[B, 64]` to excerpts `[B, 115, 80]`

    @torch.inference_mode()
    def layers(self, pieces: Tensor) -> dict[str, Tensor]:
        """What the detector makes of the N = 16·B excerpts of log-mel `[B, P, M]`.

        Returns:
            `bands` `[N, 240]` and `maps` `[N, 896]`, see `networks.doubt`; `fc7` `[N, 256]`, `fc8` `[N, 64]`, `logit`
            `[N, 1]`; and where there is an inverter its error `misfit` `[N, 1]`, a root mean square.
        """
        batches = [self._layers(self.standardise(batch)) for batch in pieces.split(BATCH)]
        return {name: torch.cat([each[name] for each in batches]) for name in batches[0]}

    def _layers(self, standardised: Tensor) -> dict[str, Tensor]:
        excerpts = standardised.unfold(1, EXCERPT_FRAMES, FRAMES_PER_STEP).transpose(2, 3).flatten(0, 1)
        found = {"bands": bands_of(excerpts)}
        for name, activation in self.network.stages(standardised):
            if name == "mp6":
                windows = activation.unfold(2, FC7_INPUT[1], 1).permute(0, 2, 1, 4, 3)
                found["maps"] = maps_of(windows.flatten(0, 1))
            elif name in FLAT:
                found[FLAT[name]] = activation[..., 0].transpose(1, 2).flatten(0, 1)
        if self.inverter:
            difference = self.inverter(found["fc8"]) - excerpts
            found["misfit"] = difference.square().mean(dim=(1, 2)).sqrt().unsqueeze(1)
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """Excerpts of one family of recordings, or of one kind of foreign sound, as the detector sees them."""

    family: str
    layers: Mapping[str, Tensor]  # see `Ear.layers`
    is_sung: NDArray[np.bool_]  # [N] whether somebody sings in the middle
    track: NDArray[np.int64]  # [N] which recording

    def __len__(self) -> int:
        return len(self.track)

    def margin(self, threshold_logit: float) -> NDArray[np.float64]:
        """`[N]` logits above the threshold's."""
        return self.layers["logit"][:, 0].double().numpy() - threshold_logit

    def is_wrong(self, threshold_logit: float) -> NDArray[np.bool_]:
        """`[N]` whether the detector's answer is."""
        wrong: NDArray[np.bool_] = (self.margin(threshold_logit) >= 0) != self.is_sung
        return wrong


def some_of_each_kind(tracks: Iterable[Track], most: int) -> tuple[Track, ...]:
    """At most so many recordings of each kind, evenly from the first to the last."""
    kinds: dict[str, list[Track]] = {}
    for track in tracks:
        kinds.setdefault(track.kind, []).append(track)
    chosen = []
    for alike in kinds.values():
        rows = np.unique(np.linspace(0, len(alike) - 1, min(most, len(alike))).astype(int))
        chosen += [alike[row] for row in rows]
    return tuple(chosen)


def of_music(corpus: str, tracks: Sequence[Features], ear: Ear, pieces: int, seed: int) -> list[Seen]:
    """Excerpts of `pieces` places of each kind of recording of a corpus; of kinds that are too short none."""
    kinds: dict[str, list[Features]] = {}
    for each in tracks:
        kinds.setdefault(each.track.kind, []).append(each)
    found = []
    for kind, alike in kinds.items():
        counts = place_counts(alike, excerpt_frames=PIECE_FRAMES)
        if not counts.any():
            continue
        # Every recording counts as much as another: long ones are no more like all music.
        rng = np.random.default_rng(seed)
        places = drawn_places(np.minimum(counts, 1), pieces, rng)
        places[:, 1] = rng.integers(counts[places[:, 0]])
        middles = CONTEXT_FRAMES + FRAMES_PER_STEP * np.arange(EXCERPTS_OF_A_PIECE)
        sung = [alike[track].labels[first + middles] for track, first in places]
        layers = ear.layers(log_mel_at(alike, places, ear.frontend, PIECE_FRAMES))
        family = ", ".join(filter(None, (corpus, kind)))
        found.append(Seen(family, layers, np.concatenate(sung), np.repeat(places[:, 0], EXCERPTS_OF_A_PIECE)))
    return found


def of_foreign(
    kinds: Iterable[str], ear: Ear, music: Sequence[Samples], sounds: int, seed: int, progress: Progress = iter
) -> list[Seen]:
    """Excerpts of so many sounds of each kind; nobody sings in them, as far as the detector is asked.

    Args:
        kinds: of `corpora.foreign`.
        ear: hears them.
        music: `[N]` at 22 050 Hz, 8 s or more, in turn what becomes foreign.
        sounds: of each kind.
        seed: another one, other sounds.
        progress: over kinds.
    """
    found = []
    for kind in progress(kinds):
        pieces = []
        for number in range(sounds):
            given = music[number % len(music)][: round(PIECE_S * SAMPLE_RATE_HZ)] if kind in MUSICAL else None
            sound = torch.from_numpy(foreign_sound(kind, seed, number, given))
            log_mel = ear.frontend(sound.unsqueeze(0))[0]
            pieces += [log_mel[:PIECE_FRAMES], log_mel[-PIECE_FRAMES:]]  # of one sound
        layers = ear.layers(torch.stack(pieces))
        count = EXCERPTS_OF_A_PIECE * len(pieces)
        track = np.repeat(np.arange(sounds), 2 * EXCERPTS_OF_A_PIECE)
        found.append(Seen(kind, layers, np.zeros(count, bool), track))
    return found

"""The bank of the tagger: rendered songs in every genre, which regions are exchanged with.

Songs are made for it that no corpus holds. Of each arrangement at most one clip is taken, which the tagger gives its
own genre, and clearly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.corpora.genres import GENRES, GenreOptions, arrange_song
from phonoscope_trainer.corpora.rendered.store import LICENCE
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.frontends.linear import LINEAR_STFT
from phonoscope_trainer.graphs.labelled_bank import LabelledBank, packed_with_labels
from phonoscope_trainer.ranges import at_least

# `samples` `[B, N]` and `label` int32 `[B, 1]` → `log_mel`, `relevance` and `probability`, a row each.
Explain = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
CLIPS = 4  # of an arrangement, drawn, that the tagger is asked about
CLEAR_PROBABILITY = 0.8  # of its own genre


@dataclass(frozen=True, slots=True)
class LabelledBankOptions:
    """How the bank is made."""

    songs: int = 24  # made in search of clips, at most, each in every genre
    excerpts: int = 4  # of each genre, each from another song
    sounds: int = 2  # of those, how many can be heard
    seed: int = 2028  # of the songs; no corpus has it

    def __post_init__(self) -> None:
        at_least(2, self, "excerpts")
        at_least(1, self, "sounds")
        at_least(self.sounds, self, "excerpts")


TAGGER_BANK = LabelledBankOptions()


@dataclass(frozen=True, slots=True)
class _Clip:
    """One that was chosen."""

    samples: Tensor  # `[N]`
    log_mel: Tensor  # `[T, M]`
    relevance: Tensor


def tagger_bank(
    options: LabelledBankOptions, labels: Sequence[str], explain: Explain
) -> tuple[LabelledBank, dict[str, Any]]:
    """A bank, and what the manifest says of it.

    Args:
        options: how many clips, of how many songs.
        labels: the tagger's, which must be the rendered genres.
        explain: the tagger's answer, and how relevant the rule that is served by default finds each bin to a label.

    Raises:
        ExportError: the labels are others, or the tagger gives too few clips their genre, and clearly.
    """
    if set(labels) != set(GENRES):
        raise ExportError(f"bank: songs are rendered as {', '.join(GENRES)}; the tagger knows {', '.join(labels)}")
    found: dict[str, list[_Clip]] = {label: [] for label in labels}
    rng = np.random.default_rng(options.seed)
    genres = GenreOptions(sample_rate_hz=LINEAR_STFT.sample_rate_hz)
    for index in tqdm(range(options.songs), desc="bank of the tagger", unit="song"):
        if all(len(each) >= options.excerpts for each in found.values()):
            break
        for genre, arrangement in arrange_song(options.seed, index, genres).items():
            if len(found[genre]) < options.excerpts:
                samples = torch.from_numpy(arrangement.samples)
                found[genre] += _clear_clip(samples, labels.index(genre), explain, rng)
    if few := [label for label, each in found.items() if len(each) < options.excerpts]:
        raise ExportError(
            f"bank: of {options.songs} songs the tagger gives too few clips their genre clearly: {', '.join(few)}; "
            f"{options.excerpts} of each are wanted: give more songs or a better tagger, or make none"
        )
    clips = [(number, place, clip) for number, each in enumerate(found.values()) for place, clip in enumerate(each)]
    explained, sounding = [number for number, _, _ in clips], [place < options.sounds for _, place, _ in clips]
    bank = packed_with_labels(
        torch.stack([clip.log_mel for _, _, clip in clips]),
        torch.stack([clip.relevance for _, _, clip in clips]),
        np.eye(len(labels), dtype=np.bool_)[explained],
        explained,
        torch.stack([clip.samples for (_, _, clip), sounds in zip(clips, sounding, strict=True) if sounds]),
        np.flatnonzero(sounding).tolist(),
    )
    said = {"excerpts": options.excerpts, "sounds": options.sounds, "seed": options.seed, "licence": LICENCE}
    return bank, said


def _clear_clip(samples: Tensor, label: int, explain: Explain, rng: np.random.Generator) -> list[_Clip]:
    """At most one clip of an arrangement `[N]`."""
    first = rng.integers(len(samples) - LINEAR_STFT.clip_samples, size=CLIPS)
    rows = torch.stack([samples[start : start + LINEAR_STFT.clip_samples] for start in first])
    answer = explain({"samples": rows, "label": torch.full((CLIPS, 1), label, dtype=torch.int32)})
    shares = answer["probability"][:, label].tolist()
    clear = [row for row, share in enumerate(shares) if share >= CLEAR_PROBABILITY][:1]
    return [_Clip(rows[row].clone(), answer["log_mel"][row], answer["relevance"][row]) for row in clear]

"""The bank of an adopted listener: rendered songs, which anybody may have, with whatever labels it gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.corpora.rendered.store import LICENCE
from phonoscope_trainer.frontends.mel import FRONTEND
from phonoscope_trainer.graphs.labelled_bank import LabelledBank, packed_with_labels
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.ranges import at_least
from phonoscope_trainer.recipes.label_masker.excerpts import margins_of
from phonoscope_trainer.recipes.listened import answers

# `samples` `[B, N]` and `label` int32 `[B, 1]` → `log_mel` and `relevance`, a row each.
Explain = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
SONG_S = (16.0, 24.0)
HOSTS = 2  # of each label, at least: a host, and a third excerpt
PLACES = 3  # of a song, drawn, of which the one that is answered most clearly is taken


@dataclass(frozen=True, slots=True)
class AdoptedBankOptions:
    """How the bank is made."""

    excerpts: int = 24  # each of another song
    sounds: int = 8  # of those, how many can be heard
    seed: int = 2029  # of the songs; no corpus has it

    def __post_init__(self) -> None:
        at_least(4, self, "excerpts", "sounds")
        at_least(self.sounds, self, "excerpts")


ADOPTED_BANK = AdoptedBankOptions()


@dataclass(frozen=True, slots=True)
class RenderedExcerpts:
    """Excerpts of rendered songs, half of them with their voices, and how clearly each has each label."""

    samples: Tensor  # `[E, N]`
    margins: Tensor  # `[E, K]`


def rendered_excerpts(options: AdoptedBankOptions, listener: Listener) -> RenderedExcerpts:
    """One excerpt of each song, the one that some label is given most clearly; first those that lack what few lack."""
    rng, rows, margins = np.random.default_rng(options.seed), [], []
    for index in tqdm(range(options.excerpts), desc=f"music for {listener.name}", unit="song"):
        whole = _song(options.seed, index, listener, with_voice=index % 2 == 0)
        first = rng.integers(len(whole) - listener.samples, size=PLACES)
        samples = torch.stack([whole[start : start + listener.samples] for start in first])
        with torch.inference_mode():
            said = answers(listener, listener.bands(samples))
        margin = margins_of(said, listener.threshold_logits, listener.decision)
        row = int(margin.max(dim=1).values.argmax())
        rows.append(samples[row].clone())
        margins.append(margin[row])
    order = covering((torch.stack(margins) < 0).numpy(), options.sounds)
    return RenderedExcerpts(torch.stack(rows)[order], torch.stack(margins)[order])


def covering(lacks: NDArray[np.bool_], first: int) -> list[int]:
    """An order of excerpts in which the first of them lack every label as often as it takes, where any can.

    A listener that gives a label to most music has few hosts for it, and those that are heard are fewer still.

    Args:
        lacks: `[E, K]` which labels each lacks.
        first: how many come first.
    """
    order: list[int] = []
    while len(order) < first:
        wanted = lacks[order].sum(axis=0) < HOSTS
        seldom = wanted / np.maximum(1, lacks.sum(axis=0))  # who lacks what few lack comes before who lacks much
        left = [row for row in range(len(lacks)) if row not in order]
        order.append(max(left, key=lambda row: float((lacks[row] * seldom).sum())))
    return [*order, *(row for row in range(len(lacks)) if row not in order)]


def why_no_bank(options: AdoptedBankOptions, music: RenderedExcerpts, listener: Listener) -> str:
    """Why the music makes no bank; empty where it does: every label must be missing in some of it, also as sound."""
    for lacking in ((music.margins < 0).sum(dim=0), (music.margins[: options.sounds] < 0).sum(dim=0)):
        if int(lacking.min()) < HOSTS:
            label = listener.labels[int(lacking.argmin())]
            return f"{listener.name} gives {label!r} to nearly all rendered music, so there is none to carry it into"
    return ""


def adopted_bank(
    options: AdoptedBankOptions, music: RenderedExcerpts, explain: Explain
) -> tuple[LabelledBank, dict[str, Any]]:
    """A bank, and what the manifest says of it; each excerpt's relevance is to the label that it has most clearly."""
    labels = music.margins.argmax(dim=1)
    answer = explain({"samples": music.samples, "label": labels.to(torch.int32).unsqueeze(1)})
    bank = packed_with_labels(
        answer["log_mel"],
        answer["relevance"],
        (music.margins >= 0).numpy(),
        labels.tolist(),
        music.samples[: options.sounds],
        list(range(options.sounds)),
    )
    said = {"excerpts": options.excerpts, "sounds": options.sounds, "seed": options.seed, "licence": LICENCE}
    return bank, said


def _song(seed: int, index: int, listener: Listener, *, with_voice: bool) -> Tensor:
    """`[N]` samples at the listener's rate."""
    song = render_song(seed, index, RenderOptions(shortest_s=SONG_S[0], longest_s=SONG_S[1]))
    mix = song.accompaniment + (song.voice if with_voice else 0)
    rate = listener.parameters.sample_rate_hz
    return torch.from_numpy(np.asarray(soxr.resample(mix, FRONTEND.sample_rate_hz, rate), np.float32))

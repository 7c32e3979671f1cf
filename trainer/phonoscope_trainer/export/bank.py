"""The bank of a bundle: other music of both answers, which an explanation's region is exchanged with.

Songs are made for it that no corpus holds, so nothing was learned from them or is judged with them, and anybody may
have them. Of each song at most one excerpt of either answer is taken, which the detector answers rightly and clearly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.corpora.rendered import RenderOptions, render_song
from phonoscope_trainer.corpora.rendered.song import RenderedSong
from phonoscope_trainer.corpora.rendered.store import LICENCE
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.frontends.mel import CONTEXT_FRAMES, EXCERPT_FRAMES, FRONTEND
from phonoscope_trainer.graphs.bank import Bank, packed
from phonoscope_trainer.graphs.description import EXCERPT_SAMPLES
from phonoscope_trainer.ranges import at_least

Explain = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]  # `samples` → all of `EXPLAINED`, a row each
EXPLAINED = ("log_mel", "relevance", "probability")
SONG_S = (16.0, 24.0)
PLACE_FRAMES = 35  # from one place an excerpt may begin at to the next
PLACES = 4  # of each kind in a song, drawn, that the detector is asked about
SUNG_SHARE = 0.7  # of an excerpt's frames, at least, for it to be sung; where it is not, nobody sings in any
CLEAR_PROBABILITY = 0.9  # of the right answer
EXAMPLES = "examples"  # where each excerpt is from, as the manifest says it
LABELS = ("instrumental", "vocal")  # in the order of the bank
QUIETEST = 0.1  # of the song's root mean square


@dataclass(frozen=True, slots=True)
class BankOptions:
    """How a bank is made."""

    songs: int = 64  # made in search of excerpts, at most
    excerpts: int = 12  # of each answer, each from another song
    sounds: int = 3  # of those, how many can be heard
    seed: int = 2027  # of the songs; no corpus has it

    def __post_init__(self) -> None:
        at_least(2, self, "excerpts", "sounds")  # a host, and a third
        at_least(self.sounds, self, "excerpts")


BANK = BankOptions()


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """One that was chosen."""

    song: int
    start_s: float  # in the song
    samples: Tensor  # `[N]`
    log_mel: Tensor  # `[115, 80]`
    relevance: Tensor


def made_bank(options: BankOptions, explain: Explain) -> tuple[Bank, dict[str, Any]]:
    """A bank, and what the manifest says of it.

    Args:
        options: how many excerpts, of how many songs.
        explain: the detector's answer, and how relevant the rule that is served by default finds each bin to it.

    Raises:
        ExportError: the detector answers too few of the excerpts rightly and clearly.
    """
    found: tuple[list[_Excerpt], list[_Excerpt]] = ([], [])
    rng = np.random.default_rng(options.seed)
    for index in range(options.songs):
        if all(len(each) >= options.excerpts for each in found):
            break
        song = render_song(options.seed, index, RenderOptions(shortest_s=SONG_S[0], longest_s=SONG_S[1]))
        for vocal, excerpts in enumerate(_clear_excerpts(index, song, explain, rng)):
            found[vocal].extend(excerpts[: options.excerpts - len(found[vocal])])
    for vocal, excerpts in enumerate(found):
        if len(excerpts) < options.excerpts:
            what = "sung excerpts" if vocal else "excerpts without singing"
            raise ExportError(
                f"bank: of {options.songs} songs the detector answers {len(excerpts)} {what} rightly and clearly, "
                f"and {options.excerpts} are wanted: give more songs or a better detector, or make none"
            )
    log_mel, relevance = (
        torch.stack([torch.stack([getattr(each, name) for each in row]) for row in found]) for name in _MAPS
    )
    bank = packed(
        log_mel,
        relevance,
        torch.stack([torch.stack([each.samples for each in row[: options.sounds]]) for row in found]),
    )
    said = {"excerpts": options.excerpts, "sounds": options.sounds, "seed": options.seed, "licence": LICENCE}
    return bank, {**said, EXAMPLES: _named(options.seed, found)}


_MAPS = ("log_mel", "relevance")


def _named(seed: int, found: Sequence[Sequence[_Excerpt]]) -> list[dict[str, Any]]:
    """Where every excerpt is from, in the order of the bank."""
    return [
        {"song": f"rendered {seed}/{each.song}", "start_s": each.start_s, "label": LABELS[vocal]}
        for vocal, row in enumerate(found)
        for each in row
    ]


def _clear_excerpts(
    number: int, song: RenderedSong, explain: Explain, rng: np.random.Generator
) -> Iterator[list[_Excerpt]]:
    """At most one excerpt without singing, then at most one that is sung."""
    samples = torch.from_numpy(song.voice + song.accompaniment)
    labels = frame_labels(song.vocals, FRONTEND.frames_of(len(samples)), FRONTEND.frames_per_second)
    first = np.arange(0, len(labels) - EXCERPT_FRAMES, PLACE_FRAMES)
    rows = torch.stack([samples[start : start + EXCERPT_SAMPLES] for start in first * FRONTEND.hop_samples])
    loud = (rows.square().mean(dim=1).sqrt() >= QUIETEST * samples.square().mean().sqrt()).numpy()
    sung = np.array([labels[place : place + EXCERPT_FRAMES].mean() for place in first])
    kinds = (sung == 0, (sung >= SUNG_SHARE) & labels[first + CONTEXT_FRAMES])
    for vocal, kind in enumerate(kinds):
        places = rng.permutation(np.flatnonzero(kind & loud))[:PLACES]
        chosen: list[_Excerpt] = []
        if len(places):
            answer = explain({"samples": rows[places]})
            right = answer["probability"][:, 0] if vocal else 1 - answer["probability"][:, 0]
            clear = [row for row, share in enumerate(right.tolist()) if share >= CLEAR_PROBABILITY][:1]
            for row in clear:
                start_s = round(float(first[places[row]] / FRONTEND.frames_per_second), 3)
                maps = (answer[name][row] for name in _MAPS)
                chosen.append(_Excerpt(number, start_s, rows[places[row]].clone(), *maps))
        yield chosen

"""Localisation of any label: two recordings joined, of which one has it.

Nobody annotates where in an excerpt its genre is. But where two excerpts are joined, one with the label and one
without, it is known (the mosaics of Arias-Duart et al., Focus, 2022, along time): a rule that is asked for the label
should point at the part that has it. What is measured is as in `localisation`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.corpora.genres.options import GenreOptions
from phonoscope_trainer.corpora.genres.song import arrange_song
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.adopted.shipped import ShippedListener
from phonoscope_trainer.experiments.explanation.controls import first_bins, random_block, ranks
from phonoscope_trainer.experiments.trust.localisation import LocalisationOptions, Progress, aucs, frame_scores
from phonoscope_trainer.graphs.exchange import at_level_of
from phonoscope_trainer.measures.bootstrap import mean_interval
from phonoscope_trainer.networks.listener import Listener

SEED, SONG_S = 2037, 9.0  # of songs that no corpus and no bank has
SHARES = (0.3, 0.7)  # of the frames, where the second recording may begin
Values = dict[str, dict[str, NDArray[np.float64]]]  # measure → name → [N]


@dataclass(frozen=True, slots=True)
class Joined:
    """Excerpts of two recordings each, and a label that one of the two has and the listener gives."""

    log_mel: Tensor  # [N, T, M]
    label: NDArray[np.int64]  # [N]
    has: NDArray[np.bool_]  # [N, T]
    song: NDArray[np.int64]  # [N]

    def __len__(self) -> int:
        return len(self.label)


def joined_genres(shipped: ShippedListener, options: LocalisationOptions, progress: Progress) -> Joined:
    """Rendered songs that change their genre and nothing else: the same key, tempo, form, words, singer and level.

    Of every pair of genres, in either order, those which the listener calls by one of the two.

    Raises:
        CorpusError: it calls none so.
    """
    listener, rng = shipped.listener, np.random.default_rng((options.seed, SEED))
    first, last = (round(share * listener.frames) for share in SHARES)
    kept: list[tuple[Tensor, int, NDArray[np.bool_], int]] = []
    for song in progress(range(options.songs), "songs"):
        pictures = _arrangements(song, listener)
        for before in pictures:
            for after in pictures.keys() - {before}:
                cut = int(rng.integers(first, last))
                levelled = at_level_of(pictures[before], pictures[after])
                log_mel = torch.cat([pictures[before][:cut], levelled[cut:]])
                with torch.inference_mode():
                    said = int(shipped.network(listener.standardise(log_mel[None]))[0].argmax())
                if said in (before, after):
                    is_first = np.arange(listener.frames) < cut
                    kept.append((log_mel, said, is_first if said == before else ~is_first, song))
    if not kept:
        raise CorpusError(f"{listener.name} calls no joined song by the genre of either part")
    pictures_of, label, has, songs = zip(*kept, strict=True)
    return Joined(torch.stack(pictures_of), np.array(label), np.stack(has), np.array(songs))


def measure_joined(
    joined: Joined, shipped: ShippedListener, network: Listener, options: LocalisationOptions, progress: Progress
) -> Values:
    """`time` AUC and `ff` of the listener's rules, saliency, loudness and chance.

    Args:
        joined: what is explained.
        shipped: the listener, its rules as they are served.
        network: the same, whose network can be differentiated.
        options: how much at once.
        progress: of batches.
    """
    found: dict[str, dict[str, list[NDArray[np.float64]]]] = {"time": {}, "ff": {}}
    usual = shipped.listener.standardise(joined.log_mel).mean(dim=(0, 1))
    for first in progress(range(0, len(joined), options.batch), "localisation"):
        rows = slice(first, first + options.batch)
        log_mel, rng = joined.log_mel[rows], np.random.default_rng((options.seed, first))
        label = torch.from_numpy(joined.label[rows].astype(np.int32)).unsqueeze(1)
        excerpt = shipped.listener.standardise(log_mel)
        scored = {rule: _relevance(shipped, rule, log_mel, label) for rule in shipped.rules}
        counts = (scored[shipped.default] >= shipped.alphas[shipped.default]).sum(dim=(1, 2)).clamp(min=1)
        scored |= {
            "saliency": _saliency(network, excerpt, label),
            "energy": log_mel,
            "random": random_block(log_mel, rng),
        }
        before = _probability(shipped, excerpt, label)
        for name, relevance in scored.items():
            region = first_bins(ranks(relevance), counts).float()
            left = _probability(shipped, excerpt + region * (usual - excerpt), label)
            found["time"].setdefault(name, []).append(aucs(frame_scores(relevance), joined.has[rows]))
            found["ff"].setdefault(name, []).append(before - left)
    values = {
        measure: {name: np.concatenate(parts) for name, parts in by_name.items()} for measure, by_name in found.items()
    }
    for by_name in values.values():
        by_name["default"] = by_name[shipped.default]
    return values


def summary_of(joined: Joined, values: Values) -> dict[str, object]:
    """Measure → name → `mean`, `low`, `high`, songs drawn for the intervals; and `n`."""
    song = np.unique(joined.song, return_inverse=True)[1]
    rates = {
        measure: {name: mean_interval(value, song) for name, value in by_name.items()}
        for measure, by_name in values.items()
    }
    return {**rates, "n": len(joined)}


def _arrangements(song: int, listener: Listener) -> dict[int, Tensor]:
    """Number of a label → `[T, M]` the end of a song in that genre."""
    options = GenreOptions(duration_s=SONG_S, sample_rate_hz=listener.parameters.sample_rate_hz)
    found = arrange_song(SEED, song, options)
    names = {"".join(each for each in name.lower() if each.isalnum()): name for name in found}
    with torch.inference_mode():
        return {
            number: listener.bands(torch.from_numpy(found[names[label]].samples[-listener.samples :])[None])[0]
            for number, label in enumerate(listener.labels)
            if label in names
        }


def _relevance(shipped: ShippedListener, rule: str, log_mel: Tensor, label: Tensor) -> Tensor:
    rows = [shipped.relevance(rule, log_mel[[row]], label[[row]]) for row in range(len(log_mel))]
    return torch.cat(rows)


def _saliency(network: Listener, excerpt: Tensor, label: Tensor) -> Tensor:
    """The gradient's magnitude (Simonyan, Vedaldi & Zisserman 2014)."""
    given = excerpt.clone().requires_grad_()
    said = network.network(given).gather(1, label.long()).sum()
    (gradient,) = torch.autograd.grad(said, given)
    return gradient.abs()


def _probability(shipped: ShippedListener, excerpt: Tensor, label: Tensor) -> NDArray[np.float64]:
    """`[B]` of the label."""
    with torch.inference_mode():
        said = shipped.network(excerpt).gather(1, label.long())[:, 0]
    return np.asarray(torch.sigmoid(said).double().numpy())

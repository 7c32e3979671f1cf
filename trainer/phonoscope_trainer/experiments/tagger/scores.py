"""How well a tagger names genres, and whether anything but the music gives the label away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from phonoscope_trainer.corpora.clips import CLIPS_PER_SONG
from phonoscope_trainer.frontends.linear import LinearStft
from phonoscope_trainer.networks.tagger import Tagger
from phonoscope_trainer.recipes.tagger.clips import LabelledClips
from phonoscope_trainer.recipes.tagger.training import probabilities

RESAMPLES, LEVEL = 2000, 0.95
NEIGHBOURS = 15  # training songs that vote on a label from one figure


def judge(network: Tagger, clips: LabelledClips, groups: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy over clips and over songs, and how labels are confused.

    Args:
        network: in evaluation mode.
        clips: of songs it has not been trained on.
        groups: of each song: arrangements of one song are alike, and resampled together.
        labels: names, in the order of the network's outputs.
    """
    answers = song_probabilities(network, clips)
    named = answers.argmax(axis=2)
    right = named == clips.label[:, None]
    songs = answers.mean(axis=1).argmax(axis=1)
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (np.repeat(clips.label, named.shape[1]), named.ravel()), 1)
    return {
        "accuracy": float(right.mean()),
        "interval": _interval(right.mean(axis=1), groups),
        "song_accuracy": float((songs == clips.label).mean()),
        "clips": int(right.size),
        "songs": len(clips.label),
        "confusion": {
            label: dict(zip(labels, map(int, row), strict=True)) for label, row in zip(labels, confusion, strict=True)
        },
        "per_class": {label: _class_scores(confusion, number) for number, label in enumerate(labels)},
    }


def song_probabilities(network: Tagger, clips: LabelledClips) -> NDArray[np.float64]:
    """`[S, clips, classes]` for every clip of every song."""
    frontend = LinearStft()
    samples, _ = clips.some(CLIPS_PER_SONG)
    with torch.inference_mode():
        found = [probabilities(network, frontend(part)) for part in samples.split(CLIPS_PER_SONG)]
    return torch.stack(found).double().numpy()


def shortcuts(
    training: Mapping[str, Sequence[object]],
    training_labels: Sequence[int],
    tested: Mapping[str, Sequence[object]],
    tested_labels: Sequence[int],
) -> dict[str, float]:
    """Accuracy of naming the label from one figure of a song alone, such as its tempo: chance, if it says nothing.

    Numbers are looked up among the nearest training songs, words among the equal ones; these vote.
    """
    return {
        name: float(
            np.mean(
                [
                    _vote(values, training_labels, value) == label
                    for value, label in zip(tested[name], tested_labels, strict=True)
                ]
            )
        )
        for name, values in training.items()
    }


def loudness_db(clips: LabelledClips) -> list[float]:
    """Root mean square of each song's clips, in decibels."""
    return [float(10 * np.log10(np.mean(np.square(song.astype(np.float64))) + 1e-9)) for song in clips.songs]


def _vote(values: Sequence[object], labels: Sequence[int], value: object) -> int:
    votes = np.asarray(labels)
    if isinstance(value, float):
        distance = np.abs(np.asarray(values, np.float64) - value)
        votes = votes[np.argsort(distance, kind="stable")[:NEIGHBOURS]]
    else:
        votes = votes[[each == value for each in values]]
    return int(np.bincount(votes).argmax()) if votes.size else 0


def _class_scores(confusion: NDArray[np.int_], number: int) -> dict[str, float]:
    hit, called, there = confusion[number, number], confusion[:, number].sum(), confusion[number].sum()
    precision, recall = float(hit / max(called, 1)), float(hit / max(there, 1))
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-9)}


def _interval(by_song: NDArray[np.float64], groups: Sequence[str]) -> dict[str, float]:
    """95 % bootstrap interval of the mean over songs, whole groups at a time."""
    _, number = np.unique(groups, return_inverse=True)
    means = np.bincount(number, by_song) / np.bincount(number)
    drawn = np.random.default_rng(0).integers(len(means), size=(RESAMPLES, len(means)))
    low, high = np.quantile(means[drawn].mean(axis=1), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return {"low": float(low), "high": float(high)}

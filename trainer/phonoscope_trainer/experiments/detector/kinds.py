"""Scores by kind of recording: what a mean over all of them hides, and the artist or source that fares worst."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from phonoscope_trainer.experiments.detector.judging import SongScores
from phonoscope_trainer.measures.scores import pooled, scores

Row = dict[str, object]


def by_kind(judged: Sequence[SongScores], threshold: float) -> Row:
    """Of the experiment's document: `kinds`, `mean_error_over_kinds` and the worst group.

    Each kind has `mean_auc` and `mean_error`, means over its recordings (where nobody sings the error is the share
    called sung), `found`, the share of all its sung frames that are called sung, and `called_sung`, that of its other
    frames. What a kind has no frames for is None. A corpus that does not tell kinds apart has no `kinds`.
    """
    songs: dict[str, list[SongScores]] = defaultdict(list)
    for song in judged:
        songs[song.kind].append(song)
    kinds = {kind: _row(each, threshold) for kind, each in songs.items() if kind}
    errors = [float(np.mean([song.scores.error for song in songs[kind]])) for kind in kinds]
    means: Row = {"kinds": kinds, "mean_error_over_kinds": float(np.mean(errors))} if kinds else {}
    return means | _worst_group(judged)


def _row(songs: Sequence[SongScores], threshold: float) -> Row:
    areas = [song.auc for song in songs if song.auc is not None]
    together = scores(*pooled([song.curve for song in songs]), threshold)
    return {
        "recordings": len(songs),
        "groups": len({song.group for song in songs}),
        "seconds": sum(song.seconds for song in songs),
        "mean_auc": float(np.mean(areas)) if areas else None,
        "mean_error": float(np.mean([song.scores.error for song in songs])),
        "found": None if np.isnan(together.recall) else together.recall,
        "called_sung": None if np.isnan(together.specificity) else 1 - together.specificity,
    }


def _worst_group(judged: Sequence[SongScores]) -> Row:
    """The mean error of the recordings of the group with the largest, and which group that is."""
    errors: dict[tuple[str, str], list[float]] = defaultdict(list)
    for song in judged:
        errors[song.kind, song.group].append(song.scores.error)
    means = {group: float(np.mean(each)) for group, each in errors.items()}
    worst = max(means, key=means.__getitem__)
    return {"worst_group_error": means[worst], "worst_group": ": ".join(filter(None, worst))}

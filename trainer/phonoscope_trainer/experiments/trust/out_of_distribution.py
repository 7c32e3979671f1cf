"""Is the out-of-distribution flag worth its name? Judged by wrong answers on music, and by foreign sound beside it.

`auroc_wrong`: the chance that a wrong answer on real music gets more doubt than a right one. `auroc_foreign`: the
chance that foreign sound gets more than that music does, mean over kinds of sound. Families of music count alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.trust.doubt_candidates import Candidates
from phonoscope_trainer.measures.bootstrap import intervals
from phonoscope_trainer.measures.scores import Curve, auc
from phonoscope_trainer.recipes.doubt.excerpts import Seen
from phonoscope_trainer.recipes.doubt.fit import TAUGHT

Floats = NDArray[np.float64]
JudgedSplit = Literal["valid", "test"]
SERVED = "doubt"
Scored = Mapping[str, Mapping[str, Floats]]  # family or kind → candidate → `[N]`


def document(candidates: Candidates, music: Sequence[Seen], foreign: Sequence[Seen], limit: float) -> dict[str, object]:
    """What the experiment leaves.

    Args:
        candidates: all of them.
        music: labelled, families of equal size.
        foreign: sounds, kinds of equal size.
        limit: of the served one, above which an excerpt is flagged.

    Raises:
        CorpusError: of the music all answers are right, or all wrong.
    """
    wrong = [each.is_wrong(candidates.threshold_logit) for each in music]
    together = np.concatenate(wrong)
    if together.all() or not together.any():
        raise CorpusError("the detector's answers to this music are all right or all wrong: nothing tells them apart")
    on_music = {each.family: candidates.of(each) for each in music}
    on_foreign = {each.family: candidates.of(each) for each in foreign}
    names = list(next(iter(on_music.values())))
    rows = {name: _row(name, on_music, on_foreign, together) for name in names}
    served, flags = rows[SERVED], np.concatenate([each[SERVED] for each in on_music.values()]) > limit
    return {
        "auroc_wrong": served["auroc_wrong"],
        "auroc_wrong_interval": _interval(music, wrong, on_music),
        "auroc_foreign": served["auroc_foreign"],
        "auroc_foreign_untaught": served["auroc_foreign_untaught"],
        "served": SERVED,
        "candidates": rows,
        "flagged": {name: float((scores[SERVED] > limit).mean()) for name, scores in (on_music | on_foreign).items()},
        "flagged_above": limit,
        "flagged_answers": {"wrong": float(flags[together].mean()), "right": float(flags[~together].mean())},
        "error": {each.family: float(row.mean()) for each, row in zip(music, wrong, strict=True)},
        "excerpts": {each.family: len(each) for each in (*music, *foreign)},
        "taught": list(TAUGHT),
    }


def _row(name: str, on_music: Scored, on_foreign: Scored, wrong: NDArray[np.bool_]) -> dict[str, object]:
    """How well one candidate tells wrong from right, and each kind of foreign sound from music."""
    music = np.concatenate([each[name] for each in on_music.values()])
    kinds = {kind: _above(each[name], music) for kind, each in on_foreign.items()}
    untaught = [value for kind, value in kinds.items() if kind not in TAUGHT]
    return {
        "auroc_wrong": auc(music, wrong),
        "auroc_foreign": float(np.mean(list(kinds.values()))),
        "auroc_foreign_untaught": float(np.mean(untaught)) if untaught else None,
        "foreign": kinds,
    }


def _above(foreign: Floats, music: Floats) -> float:
    """The chance that one of `foreign` lies above one of `music`; ties are half."""
    found = auc(np.concatenate([foreign, music]), np.arange(len(foreign) + len(music)) < len(foreign))
    assert found is not None
    return found


def _interval(music: Sequence[Seen], wrong: Sequence[NDArray[np.bool_]], on_music: Scored) -> dict[str, float] | None:
    """95 % of draws of whole recordings."""
    curves = []
    for seen, each in zip(music, wrong, strict=True):
        scores = on_music[seen.family][SERVED]
        for track in np.unique(seen.track):
            rows = seen.track == track
            curves.append(Curve(scores[rows], scores[rows], each[rows]))
    found = intervals(curves, 0.5)["auc"]
    return None if found is None else {"low": found.low, "high": found.high}


def table(whole: Mapping[str, object]) -> str:
    """The candidates, best on foreign sound first, for a person to read."""
    rows = whole["candidates"]
    assert isinstance(rows, dict)
    lines = [f"{'candidate':20}  wrong  foreign  untaught"]
    for name, row in sorted(rows.items(), key=lambda item: -item[1]["auroc_foreign"]):
        untaught = row["auroc_foreign_untaught"]
        shown = "   –" if untaught is None else f"{untaught:.3f}"
        lines.append(f"{name:20}  {row['auroc_wrong']:.3f}  {row['auroc_foreign']:.3f}    {shown}")
    return "\n".join(lines)

"""Fits doubt: three densities to music, and how far off is foreign, and how near the threshold wrong, to what was kept.

Densities are those of training music alone. The two chances are fitted to validation music and to some kinds of foreign
sound, all families of music counting alike, and all kinds of foreign sound together as much as all music. A few numbers
are all that is learned from foreign sounds, so that what holds for these kinds can hold for others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.networks.density import Density
from phonoscope_trainer.networks.doubt import AXES, Doubt
from phonoscope_trainer.recipes.doubt.excerpts import Seen
from phonoscope_trainer.recipes.doubt.logistic import alike, logistic

# Kinds of foreign sound that are learned from; the others are for judging alone.
TAUGHT = (
    "speech (espeak-ng)",
    "white noise",
    "pink noise",
    "sweeps",
    "sirens",
    "birds",
    "clicks",
    "music at 8 kHz",
)
QUANTILES = np.linspace(0, 1, 101)


@torch.inference_mode()
def fitted(train: Sequence[Seen], valid: Sequence[Seen], foreign: Sequence[Seen], threshold_logit: float) -> Doubt:
    """Doubt in evaluation mode.

    Args:
        train: music that the detector learned from.
        valid: music that nobody learned from, labelled.
        foreign: foreign sounds of `TAUGHT`.
        threshold_logit: the detector's threshold, before the sigmoid.

    Raises:
        CorpusError: of validation music all answers are right, or all wrong.
    """
    doubt = Doubt()
    for name, axes in AXES.items():
        doubt.densities[name] = Density.fitted(torch.cat([each.layers[name] for each in train]), axes)
    strange = [doubt.strangeness(each.layers) for each in (*valid, *foreign)]
    music, other = [len(each) for each in valid], [len(each) for each in foreign]
    is_foreign = np.repeat([False, True], [sum(music), sum(other)])
    weights = np.concatenate([alike(music), alike(other)])
    slope, offset = logistic(torch.cat(strange).double().numpy(), is_foreign, weights)
    doubt.foreign_weights, doubt.foreign_offset = torch.from_numpy(slope).float(), torch.tensor(offset).float()

    wrong = np.concatenate([each.is_wrong(threshold_logit) for each in valid])
    if wrong.all() or not wrong.any():
        raise CorpusError("doubt is fitted to right and to wrong answers, and the valid splits give only one of them")
    margin = np.abs(np.concatenate([each.margin(threshold_logit) for each in valid]))
    slope, offset = logistic(margin[:, None], wrong, alike(music))
    doubt.wrong_weight, doubt.wrong_offset = torch.tensor(slope[0]).float(), torch.tensor(offset).float()
    doubt.threshold_logit = torch.tensor(threshold_logit).float()
    return doubt.eval()


@torch.inference_mode()
def chances(doubt: Doubt, seen: Seen) -> Mapping[str, Tensor]:
    """`doubt`, `wrong` and `foreign` `[N]` of excerpts."""
    found = doubt.chances(seen.layers, seen.layers["logit"])
    return {name: each[:, 0] for name, each in zip(("doubt", "wrong", "foreign"), found, strict=True)}


def doubt_quantiles(doubt: Doubt, valid: Sequence[Seen]) -> tuple[float, ...]:
    """0 %, 1 % … 100 % quantiles of doubt over validation music, all families counting alike."""
    values = np.concatenate([chances(doubt, each)["doubt"].double().numpy() for each in valid])
    order = np.argsort(values, kind="stable")
    share = np.cumsum(alike([len(each) for each in valid])[order])
    return tuple(float(each) for each in np.interp(QUANTILES, share, values[order]))

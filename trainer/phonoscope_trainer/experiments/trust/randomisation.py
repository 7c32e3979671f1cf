"""Cascading weight randomisation (Adebayo et al. 2018, section 4.1): an explanation must depend on what was learnt.

From the top down one layer after another gets the weights it had before training. An explanation that stays what it
was shows the input, not the detector. What remains alike is measured up to sign: when the label turns, what spoke for
it speaks against. One draw of untrained weights may resemble the trained ones by luck, most of all in FC9's single row,
so several are averaged.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.map_similarity import rank_correlation, structural_similarity
from phonoscope_trainer.networks.svdnet import SVDNet

STAGES = ("fc9", "fc8", "fc7", "conv5", "conv4", "conv2", "conv1")  # top down
DRAWS = 5  # of untrained weights


def cascade(network: SVDNet, seed: int) -> Iterator[tuple[str, SVDNet]]:
    """The layer that lost its weights last, and the network with it and everything above it untrained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        untrained = SVDNet()
    altered = copy.deepcopy(network)
    for name in STAGES:
        altered.get_submodule(name).load_state_dict(untrained.get_submodule(name).state_dict())
        yield name, copy.deepcopy(altered).eval().requires_grad_(requires_grad=False)


def _correlation_up_to_sign(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.abs(rank_correlation(one, other))


MEASURES = {"rank_correlation": _correlation_up_to_sign, "structural_similarity": structural_similarity}


def similarities(
    explained: ExplainedNetwork, log_mel: Tensor, seeds: Sequence[int] = range(DRAWS)
) -> dict[str, dict[str, dict[str, NDArray[np.float64]]]]:
    """Rule → stage → `rank_correlation` and `structural_similarity` with the trained detector's explanations, `[B]`.

    Args:
        explained: the detector as it was trained, and its rules.
        log_mel: raw excerpts `[B, 115, 80]`.
        seeds: of the draws of untrained weights, over which each excerpt's similarities are averaged.
    """
    standardised = explained.standardise(log_mel)
    trained = explained.relevances(standardised)
    found = {
        rule: {stage: {measure: np.zeros(len(log_mel)) for measure in MEASURES} for stage in STAGES} for rule in trained
    }
    for stage, network in (each for seed in seeds for each in cascade(explained.network, seed)):
        for rule, relevance in explained.with_network(network).relevances(standardised).items():
            for measure, alike in MEASURES.items():
                found[rule][stage][measure] += alike(trained[rule].numpy(), relevance.numpy()) / len(seeds)
    return found

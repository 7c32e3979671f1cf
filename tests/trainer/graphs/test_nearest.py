"""Examples nearest in the last hidden layer, by definition, one pair at a time."""

from __future__ import annotations

import itertools
import statistics

import numpy as np
import pytest
import torch
from phonoscope_trainer.graphs.bank import unpacked
from phonoscope_trainer.graphs.nearest import LAYER, NearestExamples, nearest_examples_graph
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from support.bundles.small_bank import small_bank


def distances_by_definition(features, known):
    pairs = [np.linalg.norm(one - other) for one, other in itertools.combinations(known, 2)]
    unit = statistics.median_low(pairs)
    return [[np.linalg.norm(row - each) / unit for each in known] for row in features]


def test_distances_are_those_of_the_definition():
    random = np.random.default_rng(0)
    known, features = random.standard_normal((7, 5)), random.standard_normal((3, 5))
    found = NearestExamples(torch.from_numpy(known))(torch.from_numpy(features))
    np.testing.assert_allclose(found, distances_by_definition(features, known), rtol=1e-6)


def test_examples_that_are_all_alike_have_distances_still():
    found = NearestExamples(torch.ones(4, 5))(torch.ones(1, 5))
    assert found.tolist() == [[0, 0, 0, 0]]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SVDNet().eval()


@torch.inference_mode()
def test_an_excerpt_of_the_bank_is_nearest_to_itself_whichever_label_it_has(network):
    bank, standardise = small_bank(), Standardise(torch.zeros(80), torch.ones(80))
    graph = nearest_examples_graph(bank, network, standardise)
    heard = standardise(unpacked(bank.log_mel.flatten(0, 1), bank.step))
    distance = graph.module(network.activations(heard)[LAYER])
    assert distance.argmin(dim=1).tolist() == list(range(2 * bank.excerpts))
    assert distance.diagonal().max() < 1e-3

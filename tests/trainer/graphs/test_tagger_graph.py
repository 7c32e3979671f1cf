"""The tagger's graph, and the label that an explanation is about."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.export.tagging import label_names, tagger_listener
from phonoscope_trainer.graphs.answered_label import AnsweredLabel
from phonoscope_trainer.graphs.tagger import TaggerGraph, log_odds
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger

LABELS = ("ballad", "dance", "hip-hop")


def test_it_says_what_the_network_says_and_shows_its_layers():
    torch.manual_seed(0)
    network = Tagger(3).eval()
    torch.nn.init.normal_(network.get_parameter("fc7.weight"))
    picture = torch.rand(2, *CLIP_SHAPE)
    with torch.inference_mode():
        *layers, odds, probability = TaggerGraph(network)(picture)
        logits = network(picture)
    torch.testing.assert_close(probability, torch.softmax(logits, dim=1))
    assert [layer.shape[1] for layer in layers] == [64, 64, 64, 64, 64, 256]
    share = torch.softmax(logits.double(), dim=1)
    torch.testing.assert_close(odds.double(), torch.log(share) - torch.log1p(-share), atol=1e-4, rtol=1e-4)


def test_log_odds_do_not_saturate():
    odds = log_odds(torch.tensor([[60.0, 0.0, -1.0]]))
    assert odds[0, 0] == pytest.approx(60 - np.log(1 + np.exp(-1)), rel=1e-6)


@pytest.mark.parametrize(
    ("thresholds", "probability", "expected"),
    [((), [0.3, 0.5, 0.2], 1), ((0.9, 0.2, 0.5), [0.8, 0.4, 0.4], 1), ((0.4,), [0.4], 0), ((0.4,), [0.39], 1)],
)
def test_the_label_that_is_predicted_is_explained_where_none_is_named(thresholds, probability, expected):
    asked = AnsweredLabel(len(probability), thresholds)
    row = torch.tensor([probability])
    assert asked(row, torch.tensor([[-1]], dtype=torch.int32)).tolist() == [[expected]]
    assert asked(row, torch.tensor([[0]], dtype=torch.int32)).tolist() == [[0]]


def test_labels_are_named_as_they_are_typed():
    assert label_names(LABELS) == ["ballad", "dance", "hiphop"]
    assert tagger_listener(LABELS).model("explain_gradient") == "explain_gradient_tagger"

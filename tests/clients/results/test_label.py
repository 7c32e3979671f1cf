"""The label a probability means, the same wherever it is asked."""

from dataclasses import replace

import numpy as np
import pytest
from phonoscope_client.reports.maximisation import maximisation_page
from phonoscope_client.results.parts import is_vocal, label_of
from phonoscope_client.results.passages import vocal_passages
from phonoscope_client.results.verdict.trials import trials
from support.services.client_results import TRUST, curve, explanation, inversions, maximisation

THRESHOLD = 0.45  # as float64 it lies above its own float32, so that a careless comparison calls equality instrumental
BELOW = float(np.nextafter(np.float32(THRESHOLD), np.float32(0)))


def test_a_probability_equal_to_the_threshold_is_vocal():
    assert is_vocal(THRESHOLD, THRESHOLD)
    assert label_of(THRESHOLD, THRESHOLD) == "vocal"
    assert label_of(BELOW, THRESHOLD) == "instrumental"


def test_many_probabilities_are_judged_as_each_alone_would_be():
    probability = np.array([[THRESHOLD, BELOW], [1, 0]], np.float32)
    for threshold in (THRESHOLD, np.float64(THRESHOLD)):
        np.testing.assert_array_equal(is_vocal(probability, threshold), [[True, False], [True, False]])


@pytest.mark.parametrize(("probability", "label"), [(THRESHOLD, "vocal"), (BELOW, "instrumental")])
def test_every_result_and_page_judges_equality_alike(probability, label):
    assert inversions(probability=probability, threshold=THRESHOLD).label == label

    trust = replace(TRUST, masked_probability=probability)
    assert trials(explanation(trust=trust, threshold=THRESHOLD))[1].label == label

    flat = replace(curve(np.full(70, probability)), threshold=THRESHOLD)
    assert flat.vocal_share == (label == "vocal")
    assert len(vocal_passages(flat)) == (label == "vocal")

    made = maximisation()
    examples = {name: replace(each, probability=probability) for name, each in made.examples.items()}
    page = maximisation_page(replace(made, threshold=THRESHOLD, examples=examples))
    assert f"the detector calls {2 * (label == 'vocal')} of\n2 vocal" in page
    assert f"{label}, probability of singing 0.45" in page

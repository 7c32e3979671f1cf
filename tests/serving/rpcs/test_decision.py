"""Segments against a slow reference that follows the contract's words, and curves that come in any pieces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonoscope_serving.rpcs.decision import Decider, Decision, segments
from phonoscope_serving.rpcs.naming import Naming

RATE = 10.0
TWO = Naming(("vocal", "instrumental"), 0.5)
THREE = Naming(("ballad", "dance", "hiphop"))


def reference(shares, decision, naming):
    """Frames' labels one by one; then runs, the short ones given away one by one."""
    half = round(decision.median_filter_s * RATE) // 2
    padded = [shares[0]] * half + list(shares) + [shares[-1]] * half
    runs = []
    for at in range(len(shares)):
        label = smoothed(np.array(padded[at : at + 2 * half + 1]), decision, naming)
        if runs and runs[-1][2] == label:
            runs[-1][1] = at + 1
        else:
            runs.append([at, at + 1, label])
    least = max(1, round(decision.minimum_s * RATE))
    long = [number for number, (start, stop, _) in enumerate(runs) if stop - start >= least]
    if not long:
        return [(0, len(shares), meant(np.mean(shares, axis=0, dtype=float), decision, naming))]
    found = [[0, runs[long[0]][1], runs[long[0]][2]]]
    for start, stop, label in runs[long[0] + 1 :]:
        if label == found[-1][2] or stop - start < least:
            found[-1][1] = stop
        else:
            found.append([start, stop, label])
    return [tuple(each) for each in found]


def meant(shares, decision, naming):
    if naming.threshold is None:
        return int(np.argmax(shares))
    return 0 if shares[0] >= decision.threshold else 1


def smoothed(around, decision, naming):
    """Of two labels, what the median means; of more, the most frequent, of equals the middle's own."""
    if naming.threshold is not None:
        return meant(np.median(around, axis=0), decision, naming)
    labels = [meant(each, decision, naming) for each in around]
    return max(range(len(naming.labels)), key=lambda label: (labels.count(label), label == labels[len(labels) // 2]))


def told(found):
    return [(each.first_frame, each.end_frame, each.label) for each in found]


STEPS = st.lists(st.integers(0, 64), min_size=1, max_size=120)  # sums of these are exact
TWOS = STEPS.map(lambda each: TWO.shares(np.array(each, np.float32)[:, None] / 64))
THREES = st.lists(st.tuples(*[st.integers(0, 8)] * 3), min_size=1, max_size=120).map(
    lambda each: np.array(each, np.float32) / 8
)
CURVES = st.one_of(st.tuples(TWOS, st.just(TWO)), st.tuples(THREES, st.just(THREE)))
DECISIONS = st.builds(
    Decision, st.sampled_from([0.3, 0.5, 0.62]), st.sampled_from([0, 0.3, 0.5, 1.1]), st.sampled_from([0, 0.2, 1])
)


def fitting(decision, naming):
    """Of the most probable label there is no threshold."""
    return decision if naming is TWO else replace(decision, threshold=None)


@settings(deadline=None)
@given(CURVES, DECISIONS)
def test_segments_are_what_the_contract_says(curve, decision):
    (shares, naming), decision = curve, fitting(decision, curve[1])
    found = segments(shares, decision, naming, RATE)
    assert told(found) == reference(shares, decision, naming)
    for each in found:
        own = shares[each.first_frame : each.end_frame, each.label].astype(float)
        assert each.mean_confidence == pytest.approx(np.mean(own), abs=1e-6)


@settings(deadline=None)
@given(CURVES, DECISIONS, st.lists(st.integers(1, 40), min_size=1))
def test_a_curve_that_comes_in_pieces_has_the_same_segments(curve, decision, lengths):
    (shares, naming), decision = curve, fitting(decision, curve[1])
    decider, found, at = Decider(decision, naming, RATE), [], 0
    while at < len(shares):
        found += decider.push(shares[at : at + lengths[0]])
        assert all(each.end_frame <= decider.known_until for each in found)
        at, lengths = at + lengths[0], lengths[1:] + lengths[:1]
    assert told([*found, *decider.end()]) == told(segments(shares, decision, naming, RATE))


def test_segments_cover_the_curve_and_have_different_labels_beside_each_other():
    curve = np.random.default_rng(0).uniform(size=(500, 3)).astype(np.float32)
    found = segments(curve, Decision(None, 0.5, 0.4), THREE, RATE)
    assert [each.end_frame for each in found[:-1]] == [each.first_frame for each in found[1:]]
    assert (found[0].first_frame, found[-1].end_frame) == (0, 500)
    assert all(one.label != other.label for one, other in pairwise(found))
    assert all(each.frames >= 4 for each in found)


def test_nothing_but_short_segments_is_decided_upon_after_a_while():
    curve = TWO.shares(np.tile(np.array([0.9, 0.9, 0.2], np.float32), 2000)[:, None])
    decider = Decider(Decision(0.5, 0, 1), TWO, RATE)
    decider.push(curve)
    assert decider.current is not None
    assert decider.known_until > len(curve) - 1300
    assert told(decider.end()) == [(0, 6000, 0)]

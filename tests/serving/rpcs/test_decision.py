"""Segments against a slow reference that follows the contract's words, and curves that come in any pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonoscope_serving.rpcs.decision import Decider, Decision, segments

RATE = 10.0


def reference(probability, decision):
    """Frames' labels one by one; then runs, the short ones given away one by one."""
    half = round(decision.median_filter_s * RATE) // 2
    padded = [probability[0]] * half + list(probability) + [probability[-1]] * half
    smooth = [np.median(padded[at : at + 2 * half + 1]) for at in range(len(probability))]
    runs = []
    for at, value in enumerate(smooth):
        vocal = bool(value >= decision.threshold)
        if runs and runs[-1][2] == vocal:
            runs[-1][1] = at + 1
        else:
            runs.append([at, at + 1, vocal])
    least = max(1, round(decision.minimum_s * RATE))
    long = [number for number, (start, stop, _) in enumerate(runs) if stop - start >= least]
    if not long:
        return [(0, len(probability), bool(np.mean(probability, dtype=float) >= decision.threshold))]
    found = [[0, runs[long[0]][1], runs[long[0]][2]]]
    for start, stop, vocal in runs[long[0] + 1 :]:
        if vocal == found[-1][2] or stop - start < least:
            found[-1][1] = stop
        else:
            found.append([start, stop, vocal])
    return [tuple(each) for each in found]


def told(found):
    return [(each.first_frame, each.end_frame, each.vocal) for each in found]


STEPS = st.lists(st.integers(0, 64), min_size=1, max_size=120)  # sums of these are exact
CURVES = STEPS.map(lambda each: np.array(each, np.float32) / 64)
DECISIONS = st.builds(
    Decision, st.sampled_from([0.3, 0.5, 0.62]), st.sampled_from([0, 0.3, 0.5, 1.1]), st.sampled_from([0, 0.2, 1])
)


@settings(deadline=None)
@given(CURVES, DECISIONS)
def test_segments_are_what_the_contract_says(curve, decision):
    found = segments(curve, decision, RATE)
    assert told(found) == reference(curve, decision)
    for each in found:
        own = curve[each.first_frame : each.end_frame].astype(float)
        assert each.mean_confidence == pytest.approx(np.mean(own if each.vocal else 1 - own), abs=1e-6)


@settings(deadline=None)
@given(CURVES, DECISIONS, st.lists(st.integers(1, 40), min_size=1))
def test_a_curve_that_comes_in_pieces_has_the_same_segments(curve, decision, lengths):
    decider, found, at = Decider(decision, RATE), [], 0
    while at < len(curve):
        found += decider.push(curve[at : at + lengths[0]])
        assert all(each.end_frame <= decider.known_until for each in found)
        at, lengths = at + lengths[0], lengths[1:] + lengths[:1]
    assert told([*found, *decider.end()]) == told(segments(curve, decision, RATE))


def test_segments_cover_the_curve_and_have_different_labels_beside_each_other():
    curve = np.random.default_rng(0).uniform(size=500).astype(np.float32)
    found = segments(curve, Decision(0.5, 0.5, 0.4), RATE)
    assert [each.end_frame for each in found[:-1]] == [each.first_frame for each in found[1:]]
    assert (found[0].first_frame, found[-1].end_frame) == (0, 500)
    assert all(one.vocal != other.vocal for one, other in pairwise(found))
    assert all(each.frames >= 4 for each in found)


def test_nothing_but_short_segments_is_decided_upon_after_a_while():
    curve = np.tile(np.array([0.9, 0.9, 0.2], np.float32), 2000)
    decider = Decider(Decision(0.5, 0, 1), RATE)
    decider.push(curve)
    assert decider.current is not None
    assert decider.known_until > len(curve) - 1300
    assert told(decider.end()) == [(0, 6000, True)]

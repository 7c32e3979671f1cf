"""Where somebody sings, against a running median written out."""

import numpy as np
import pytest
from phonoscope_client import Passage, vocal_passages
from support.services.client_results import curve


def passages_reference(given, smoothing_s):
    """Median of each frame's window, ends repeated; then one passage for each unbroken stretch."""
    half = round(smoothing_s * given.frames_per_second) // 2
    last = len(given.probability) - 1
    sings = [
        np.median([given.probability[min(max(frame + offset, 0), last)] for offset in range(-half, half + 1)])
        >= given.threshold
        for frame in range(last + 1)
    ]
    found, start = [], None
    for frame, singing in enumerate([*sings, False]):
        if singing and start is None:
            start = frame
        if not singing and start is not None:
            found.append(Passage(start / given.frames_per_second, frame / given.frames_per_second))
            start = None
    return found


@pytest.mark.parametrize("smoothing_s", [0.0, 0.1, 0.8, 3.0])
def test_passages_are_where_the_running_median_reaches_the_threshold(smoothing_s):
    walk = np.cumsum(np.random.default_rng(4).normal(size=400)) / 20
    given = curve(1 / (1 + np.exp(-walk)))
    assert vocal_passages(given, smoothing_s=smoothing_s) == passages_reference(given, smoothing_s)


def test_a_curve_shorter_than_the_window_is_one_answer():
    assert vocal_passages(curve(np.full(7, 0.9))) == [Passage(0.0, 0.1)]
    assert vocal_passages(curve(np.full(7, 0.1))) == []


def test_an_empty_curve_has_no_passages():
    assert vocal_passages(curve(np.empty(0))) == []

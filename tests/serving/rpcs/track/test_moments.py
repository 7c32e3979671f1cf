"""Which moments are chosen, whatever pieces the curve comes in."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_serving.rpcs.decision import Decider, Decision
from phonoscope_serving.rpcs.naming import Naming
from phonoscope_serving.rpcs.track.choosing.extremes import Extremes
from phonoscope_serving.rpcs.track.choosing.moments import Chooser
from phonoscope_serving.rpcs.track.question import Moments
from phonoscope_serving.rpcs.track.reading import TrackPiece

NAMING = Naming(("vocal", "instrumental"), 0.5)
# Vocal from frame 700 to 1400, but for a moment, and from 2000 on.
CURVE = np.full(2800, 0.1, np.float32)
CURVE[700:1400] = CURVE[2000:] = 0.9
CURVE[1000:1005] = 0.2


def chosen(moments, front_end, piece=350, decision=None, first=0):
    """Frames in the order in which they are given, and how far behind the curve each was."""
    decider = Decider(decision or Decision(None, 0.5, 0.5), NAMING, front_end.frames_per_second, first)
    chooser, found = Chooser(moments, front_end, NAMING.labels, first), []
    for at in range(first, len(CURVE), piece):
        part = NAMING.shares(CURVE[at : at + piece, None])
        ended = decider.push(part)
        chooser.hear(NAMING.given(part), ended, decider)
        found += chooser.take(chooser.horizon(decider))
    chooser.end(decider.end(), len(CURVE) / front_end.frames_per_second)
    return found + chooser.take(len(CURVE))


@pytest.mark.parametrize("piece", [50, 350, 2800])
@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        (Moments(), []),
        (Moments(every_s=10), [0, 700, 1400, 2100]),
        (Moments(every_s=10, where_label="vocal"), [700, 2100]),
        (Moments(every_s=10, where_label="instrumental"), [0, 1400]),
        (Moments(where_it_changes=True), [700, 1400, 2000]),
        (Moments(where_label="vocal"), [757, 2057]),
        (Moments(where_label="instrumental"), [57, 1457]),
        (Moments(at_s=(3.0, 1.0, 3.001, 39.999, 500.0)), [70, 210, 2799]),
        (Moments(every_s=10, where_it_changes=True, at_s=(10.0,)), [0, 700, 1400, 2000, 2100]),
    ],
)
def test_moments_are_chosen_once_and_in_order(bundle, moments, expected, piece):
    assert chosen(moments, bundle.default.front_end, piece) == expected


def test_from_a_later_frame_on_the_same_moments_are_chosen(bundle):
    moments = Moments(every_s=3.0)
    later = [frame for frame in chosen(moments, bundle.default.front_end) if frame >= 1000]
    assert chosen(moments, bundle.default.front_end, first=1000) == later


def test_the_most_and_least_certain_are_the_best_of_each_stretch(bundle):
    front_end, length = bundle.default.front_end, bundle.default.front_end.excerpt_frames
    curve = np.random.default_rng(0).uniform(size=2000).astype(np.float32)
    samples = np.zeros(front_end.samples(2114), np.float32)
    scores = NAMING.certainty(NAMING.shares(curve[:, None]))
    for sign in (1, -1):
        extremes = Extremes(5, sign, front_end)
        for at in range(0, 2000, 350):
            part = scores[at : at + 350]
            extremes.hear(TrackPiece(at, len(part), 0, samples, 0, 0, None, ()), part)
        best = [at + int((sign * scores[at : at + length]).argmax()) for at in range(0, 2000, length)]
        expected = sorted(sorted(best, key=lambda frame: -sign * scores[frame])[:5])
        assert list(extremes.found()) == expected

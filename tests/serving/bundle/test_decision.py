"""From probabilities to labels."""

import numpy as np
import pytest
from phonoscope_serving.bundle.listeners.decision import Decision
from phonoscope_serving.errors import InvalidRequest

SINGING = Decision("binary", ("vocal", "instrumental"), (0.4,))
GENRES = Decision("multi-class", ("ballad", "dance", "hiphop"))
TAGS = Decision("multi-label", ("guitar", "piano", "techno"), (0.5, 0.2, 0.9))


def row(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("decision", "probability", "label"),
    [
        (SINGING, row(0.4), "vocal"),
        (SINGING, row(0.39), "instrumental"),
        (GENRES, row(0.2, 0.5, 0.3), "dance"),
        (TAGS, row(0.55, 0.3, 0.1), "piano"),
        (TAGS, row(0.4, 0.1, 0.1), "guitar"),
    ],
)
def test_the_label_that_is_predicted(decision, probability, label):
    assert decision.labels[decision.predicted(probability)] == label


def test_a_label_holds_by_the_listeners_own_decision():
    both = np.array([[0.3], [0.5]], np.float32)
    assert SINGING.claim("vocal", "", row(0.9)).holds(both).tolist() == [False, True]
    assert SINGING.claim("instrumental", "", row(0.9)).holds(both).tolist() == [True, False]
    three = np.array([[0.3, 0.5, 0.2], [0.1, 0.2, 0.7]], np.float32)
    assert GENRES.claim("dance", "", three[0]).holds(three).tolist() == [True, False]
    assert GENRES.claim("dance", "ballad", three[0]).holds(three).tolist() == [True, True]
    assert TAGS.claim("piano", "", three[0]).holds(three).tolist() == [True, True]
    assert TAGS.claim("techno", "", three[0]).holds(three).tolist() == [False, False]


def test_log_odds_are_those_of_one_label_against_all_else():
    share = np.array([0.2, 0.5, 0.3])
    np.testing.assert_allclose(GENRES.log_odds(share.astype(np.float32)), np.log(share / (1 - share)), atol=1e-5)
    np.testing.assert_allclose(SINGING.log_odds(row(0.8)), [np.log(4), -np.log(4)], atol=1e-5)
    sure = GENRES.log_odds(row(1.0, 3e-20, 1e-20))
    assert sure[0] == pytest.approx(-np.log(4e-20), rel=1e-5), "what a sum next to 1 cannot hold"


def test_labels_that_do_not_exist_are_named_with_those_that_do():
    with pytest.raises(InvalidRequest, match=r"label: is 'polka'; the listener's labels are ballad, dance, hiphop"):
        GENRES.check("polka", "")
    with pytest.raises(InvalidRequest, match=r"contrast: is 'dance', as label is"):
        GENRES.check("dance", "dance")
    with pytest.raises(InvalidRequest, match=r"contrast: is 'dance', which is predicted"):
        GENRES.claim("", "dance", row(0.2, 0.5, 0.3))

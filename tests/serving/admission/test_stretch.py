import numpy as np
from phonoscope_serving.admission.stretch import FIRST, MOST, Stretch


def test_most_are_within_what_is_expected():
    random, stretch = np.random.default_rng(0), Stretch()
    passed_s = random.uniform(1.0, 2.0, 5000)
    for each in passed_s:
        stretch.learn(1.0, each)
    assert 0.7 < np.mean(passed_s < stretch.factor) < 0.99


def test_it_is_bounded():
    stretch = Stretch()
    for _ in range(1000):
        stretch.learn(1.0, 100.0)
    assert 3 < stretch.factor <= MOST
    for _ in range(10000):
        stretch.learn(1.0, 0.1)
    assert 1 <= stretch.factor < FIRST


def test_what_was_given_up_before_its_time_teaches_nothing():
    stretch = Stretch()
    stretch.learn_at_least(1.0, 0.5)
    assert stretch.factor == FIRST
    stretch.learn_at_least(1.0, 3.0)
    assert stretch.factor > FIRST

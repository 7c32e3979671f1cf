import time

import pytest
from phonoscope_serving.admission.busy import BusyTime


@pytest.fixture
def now(monkeypatch):
    class Now:
        s = 0.0

    monkeypatch.setattr(time, "perf_counter", lambda: Now.s)
    return Now


def test_runs_side_by_side_share_the_time_that_passes(now):
    busy = BusyTime()
    first = busy.begin()
    now.s = 1
    second = busy.begin()
    now.s = 3
    assert busy.end(first) == 1 + 2 / 2
    now.s = 4
    assert busy.end(second) == 2 / 2 + 1


def test_time_in_which_nothing_runs_costs_nobody_anything(now):
    busy = BusyTime()
    now.s = 5
    began = busy.begin()
    now.s = 6
    assert busy.end(began) == 1

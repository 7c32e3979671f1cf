import numpy as np
import pytest
from phonoscope_serving.admission.line import Line
from phonoscope_serving.admission.work import Kind, Work


def test_sums_are_those_of_the_works_whatever_is_done_of_them():
    random, line, there = np.random.default_rng(0), Line(), []
    for _ in range(300):
        if there and random.random() < 0.4:
            line.leave(there.pop(random.integers(len(there))))
        else:
            there.append(Work(Kind.EXPLAIN, f"caller {random.integers(4)}", expected_s=random.uniform(0.01, 2)))
            line.join(there[-1])
        if there:
            there[random.integers(len(there))].charge(random.uniform(0, 0.5))
        left_s = {}
        for work in there[1:]:
            left_s[work.caller] = left_s.get(work.caller, 0.0) + work.left_s
        without = there[0] if there else Work()
        assert line.left_s(without) == pytest.approx(left_s)
        own = sum(work.caller == without.caller for work in there[1:])
        assert line.calls(without) == (len(there[1:]), own)
        assert line.all_s == pytest.approx(sum(work.left_s for work in there))
        assert len(line) == len(there)


def test_whoever_is_alone_finds_nothing_there():
    line, work = Line(), Work(Kind.EXPLAIN, "a", expected_s=0.1, unit_s=0.3)
    line.join(work)
    work.measure(1 / 3)
    work.charge(0.07)
    assert line.left_s(work) == {}

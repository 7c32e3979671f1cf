import asyncio
from contextlib import ExitStack

import pytest
from phonoscope_serving.admission.admission import ALWAYS_TAKEN, ALWAYS_TAKEN_BACKGROUND, Admission
from phonoscope_serving.admission.work import Kind
from phonoscope_serving.errors import DeadlinePassed, QueueFull
from phonoscope_serving.metrics import Metrics


@pytest.fixture
async def admission():
    return Admission(10.0, Metrics())


def answer(admission, kind=Kind.EXPLAIN, cost_s=0.1, units=1.0, variant=""):
    """A request that costs so much, from the beginning to the end."""
    with admission.admitted(kind, "somebody", None) as work:
        admission.weigh(work, variant, units, None)
        work.charge(cost_s)


class There:
    """Requests that were taken on and are not done."""

    def __init__(self, admission):
        self.admission, self.held = admission, ExitStack()

    def add(self, count=1, kind=Kind.EXPLAIN, caller="a", units=1.0, deadline=None):
        works = []
        for _ in range(count):
            with ExitStack() as attempt:
                work = attempt.enter_context(self.admission.admitted(kind, caller, deadline))
                self.admission.weigh(work, "", units, deadline)
                self.held.push(attempt.pop_all())
            works.append(work)
        return works


@pytest.fixture
async def there(admission):
    there = There(admission)
    with there.held:
        yield there


async def test_requests_of_which_nothing_is_known_are_taken_on(there):
    there.add(ALWAYS_TAKEN + 100)


async def test_a_caller_may_take_as_much_as_is_left(admission, there):
    answer(admission)
    with pytest.raises(QueueFull, match=r"5\.0 s of work to explain are there, of which 5\.0 s are yours") as full:
        there.add(60)
    assert 0.05 <= full.value.retry_after_s < 1
    there.add(24, caller="b")
    with pytest.raises(QueueFull):
        there.add(2, caller="b")
    there.add(10, caller="c")


async def test_large_requests_are_taken_on_by_number(admission, there):
    answer(admission, Kind.MAXIMISE, 100.0)
    there.add(ALWAYS_TAKEN_BACKGROUND // 2, Kind.MAXIMISE)
    with pytest.raises(QueueFull):
        there.add(1, Kind.MAXIMISE)
    there.add(1, Kind.EXPLAIN)


async def test_what_was_done_of_a_request_makes_room(admission, there):
    answer(admission)
    works = there.add(49)
    with pytest.raises(QueueFull):
        there.add(2)
    for work in works[:10]:
        work.charge(0.09)
    there.add(2)


async def test_a_request_that_would_be_done_too_late_is_refused_with_a_time_to_come_back(admission, there, clock):
    answer(admission, cost_s=1.0)
    there.add(11, deadline=clock.time() + 20)  # 11 s of work, some headroom, and not just in time
    with pytest.raises(QueueFull, match="too late") as late:
        there.add(4, deadline=clock.time() + 20)
    assert late.value.retry_after_s > 0
    there.add(1)


async def test_others_requests_count_as_much_as_ones_own(admission, there, clock):
    answer(admission, cost_s=1.0)
    there.add(30, caller="a")
    there.add(5, caller="b", deadline=clock.time() + 20)  # done after as much of a's
    with pytest.raises(QueueFull):
        there.add(6, caller="b", deadline=clock.time() + 20)


async def test_other_kinds_count_as_much_as_ones_own(admission, there, clock):
    answer(admission, cost_s=1.0)
    answer(admission, Kind.MAXIMISE, 100.0)
    there.add(1, Kind.MAXIMISE)
    there.add(5, deadline=clock.time() + 20)
    with pytest.raises(QueueFull):
        there.add(6, deadline=clock.time() + 20)


async def test_a_request_that_alone_takes_longer_is_told_that_it_is_its_deadline(admission, there, clock):
    answer(admission, Kind.MAXIMISE, 1.0, units=10)
    there.add(1, Kind.MAXIMISE, units=10)
    with pytest.raises(DeadlinePassed, match=r"to maximise this takes 10\.000 s"):
        there.add(1, Kind.MAXIMISE, units=100, deadline=clock.time() + 5)


async def test_one_slow_request_does_not_shut_the_door_for_ever(admission, there, clock):
    answer(admission, cost_s=1000.0)
    refused = 0
    while True:
        try:
            there.add(1, deadline=clock.time() + 5)
            break
        except DeadlinePassed:
            refused += 1
    assert 1 < refused < 100


async def test_a_small_request_is_not_refused_because_others_of_its_kind_are_large(admission, there, clock):
    answer(admission, Kind.PREDICT, cost_s=0.1, units=10)
    for _ in range(5):
        answer(admission, Kind.PREDICT, cost_s=10.0, units=1000)
    there.add(1, Kind.PREDICT, units=10, deadline=clock.time() + 1)


async def test_those_who_are_refused_are_not_all_told_the_same_time(admission, there):
    answer(admission)
    there.add(49)
    told_s = []
    for _ in range(30):
        with pytest.raises(QueueFull) as full:
            there.add(2)
        told_s.append(full.value.retry_after_s)
    assert len({round(each, 2) for each in told_s}) > 20
    assert max(told_s) <= 30


async def test_what_went_wrong_teaches_nothing_and_leaves_nothing(admission, there):
    answer(admission)

    def fail():
        with admission.admitted(Kind.EXPLAIN, "a", None) as work:
            work.charge(1000.0)
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    there.add(40)


async def test_what_was_done_for_others_teaches_nothing(admission, there):
    answer(admission, cost_s=0.5)
    with admission.admitted(Kind.EXPLAIN, "a", None) as work:
        work.is_shared = True
    with admission.admitted(Kind.EXPLAIN, "a", None) as work:
        assert work.expected_s == pytest.approx(0.5)


async def test_work_and_refusals_are_counted(admission, there):
    answer(admission)
    begun, *_ = there.add(49)
    with pytest.raises(QueueFull):
        there.add(2)
    begun.charge(0.0001)

    def value(name, **labels):
        return admission._metrics.registry.get_sample_value(name, {"kind": "explain"} | labels)

    assert value("phonoscope_work_calls") == 50
    assert value("phonoscope_work_waiting") == 49
    assert value("phonoscope_work_seconds") == pytest.approx(5.0)
    assert value("phonoscope_refusals_total", reason="budget") == 1
    assert (value("phonoscope_cost_seconds_count"), value("phonoscope_cost_seconds_sum")) == (1, pytest.approx(0.1))


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (QueueFull("512 calls wait to be received", 1.0, "receiving"), "receiving"),
        (QueueFull("512 rows wait", 1.0), "queue"),
        (MemoryError(), "memory"),
    ],
)
async def test_what_finds_no_room_on_its_way_is_counted_as_refused(admission, failure, reason):
    with pytest.raises(type(failure)), admission.admitted(Kind.EXPLAIN, "a", None):
        raise failure
    counted = admission._metrics.registry.get_sample_value
    assert counted("phonoscope_refusals_total", {"kind": "explain", "reason": reason}) == 1
    assert counted("phonoscope_cost_seconds_count", {"kind": "explain"}) is None
    await asyncio.sleep(0)

import asyncio

import numpy as np
import pytest
from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import NOBODYS, Kind, Work
from phonoscope_serving.engines.embedded.batching import BatchLimits, BatchQueue
from phonoscope_serving.engines.embedded.lane import Lane
from phonoscope_serving.errors import DeadlinePassed, EngineFailed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics


class Gate:
    """A model that doubles, and runs only while its gate is open; remembers what it was given."""

    def __init__(self):
        self.open = asyncio.Event()
        self.batches = []
        self.running = self.most_running = 0
        self.entered = asyncio.Event()
        self.fault = None
        self.cost_s = 0.0

    async def run(self, lane, model, inputs, outputs):
        self.batches.append(inputs["x"][:, 0].tolist())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.entered.set()
        try:
            await self.open.wait()
            if self.fault:
                raise self.fault
        finally:
            self.running -= 1
        made = {name: made for name, made in {"y": 2 * inputs["x"], "z": 3 * inputs["x"]}.items() if name in outputs}
        return made, self.cost_s


def lane():
    return Lane("test", BusyTime())


@pytest.fixture
async def gate():
    return Gate()


@pytest.fixture
async def queue(gate):
    queue = BatchQueue("double", Kind.OTHER, gate.run, lane(), BatchLimits(batch_rows=4, queue_rows=6), Metrics())
    queue.start()
    yield queue
    gate.open.set()
    await queue.close()


def rows(*values, columns=3):
    return {"x": np.repeat(np.array(values, np.float32)[:, None], columns, axis=1)}


def ask(queue, inputs, deadline=None, continues=False, outputs=("y",), work=NOBODYS):
    return asyncio.create_task(queue.submit(inputs, outputs, deadline=deadline, continues=continues, work=work))


async def busy(queue, gate):
    """One request is being run; whatever comes now gathers behind it."""
    task = ask(queue, rows(0))
    await gate.entered.wait()
    return task


async def test_a_request_that_finds_the_engine_idle_does_not_wait_for_company(queue, gate):
    gate.open.set()
    assert (await queue.submit(rows(1), ("y",), deadline=None, continues=False, work=NOBODYS))["y"][0, 0] == 2
    assert gate.batches == [[1]]


async def test_requests_that_arrive_while_a_batch_runs_are_run_together(queue, gate):
    first = await busy(queue, gate)
    others = [ask(queue, rows(n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.batches == [[0], [1, 2, 3]]


async def test_one_who_asks_again_at_once_runs_with_whoever_waits(queue, gate):
    async def ask_on(first):
        for number in range(first, first + 5):
            await queue.submit(rows(number), ("y",), deadline=None, continues=True, work=NOBODYS)

    both = asyncio.gather(ask_on(10), ask_on(20))
    await gate.entered.wait()
    gate.open.set()
    await both
    assert gate.batches == [[10, 20], [11, 21], [12, 22], [13, 23], [14, 24]]


async def test_one_who_comes_while_another_goes_on_asking_shares_the_next_batch(queue, gate):
    async def ask_on(first):
        for number in range(first, first + 3):
            await queue.submit(rows(number), ("y",), deadline=None, continues=True, work=NOBODYS)

    one = asyncio.create_task(ask_on(10))
    await gate.entered.wait()
    other = asyncio.create_task(ask_on(20))
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(one, other)
    assert gate.batches == [[10], [20, 11], [21, 12], [22]]


async def test_everyone_gets_their_own_rows(queue, gate):
    first = await busy(queue, gate)
    one, two = ask(queue, rows(1, 2)), ask(queue, rows(3))
    await asyncio.sleep(0)
    gate.open.set()
    await first
    assert (await one)["y"][:, 0].tolist() == [2, 4]
    assert (await two)["y"][:, 0].tolist() == [6]


async def test_a_batch_holds_at_most_as_many_rows_as_are_allowed(queue, gate):
    first = await busy(queue, gate)
    others = [ask(queue, rows(n)) for n in range(1, 7)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]


async def test_a_request_larger_than_a_batch_is_run_alone(queue, gate):
    first = await busy(queue, gate)
    large, small = ask(queue, rows(1, 2, 3, 4, 5)), ask(queue, rows(6))
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, large, small)
    assert gate.batches == [[0], [1, 2, 3, 4, 5], [6]]


async def test_requests_that_want_different_outputs_are_not_joined(queue, gate):
    first = await busy(queue, gate)
    others = [ask(queue, rows(1)), ask(queue, rows(2), outputs=("y", "z")), ask(queue, rows(3))]
    await asyncio.sleep(0)
    gate.open.set()
    _, one, two, three = await asyncio.gather(first, *others)
    assert gate.batches == [[0], [1, 3], [2]]
    assert [set(answer) for answer in (one, two, three)] == [{"y"}, {"y", "z"}, {"y"}]


async def test_requests_of_different_shapes_are_not_joined(queue, gate):
    first = await busy(queue, gate)
    others = [ask(queue, rows(1)), ask(queue, rows(2, columns=5)), ask(queue, rows(3))]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.batches == [[0], [1, 3], [2]]


async def test_a_model_without_a_batch_axis_runs_one_request_at_a_time(gate):
    queue = BatchQueue("double", Kind.OTHER, gate.run, lane(), BatchLimits(batch_rows=0, queue_rows=2), Metrics())
    queue.start()
    gate.open.set()
    answers = await asyncio.gather(*(ask(queue, {"x": np.ones((n, 1), np.float32)}) for n in (5, 3)))
    assert [len(answer["y"]) for answer in answers] == [5, 3]
    assert [len(batch) for batch in gate.batches] == [5, 3]
    await queue.close()


async def test_a_full_queue_refuses_and_says_when_to_come_back(queue, gate):
    first = await busy(queue, gate)
    waiting = [ask(queue, rows(n)) for n in range(6)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull, match="6 rows wait for double; at most 6 may") as refused:
        await queue.submit(rows(9), ("y",), deadline=None, continues=False, work=NOBODYS)
    assert refused.value.retry_after_s > 0
    gate.open.set()
    await asyncio.gather(first, *waiting)
    assert (await queue.submit(rows(9), ("y",), deadline=None, continues=False, work=NOBODYS))["y"][0, 0] == 18


async def test_a_request_already_begun_is_not_refused(queue, gate):
    first = await busy(queue, gate)
    waiting = [ask(queue, rows(n)) for n in range(6)]
    await asyncio.sleep(0)
    waiting.append(ask(queue, rows(9), continues=True, work=NOBODYS))
    gate.open.set()
    await asyncio.gather(first, *waiting)
    assert 9 in gate.batches[-1]


async def test_a_request_larger_than_the_queue_is_taken_when_nobody_waits(queue, gate):
    gate.open.set()
    answer = await queue.submit(rows(*range(20)), ("y",), deadline=None, continues=False, work=NOBODYS)
    assert len(answer["y"]) == 20


async def test_a_cancelled_request_is_never_run(queue, gate):
    first = await busy(queue, gate)
    cancelled, other = ask(queue, rows(1)), ask(queue, rows(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    gate.open.set()
    await asyncio.gather(first, other)
    assert gate.batches == [[0], [2]]


async def test_a_cancelled_request_makes_room_in_the_queue(queue, gate):
    first = await busy(queue, gate)
    waiting = [ask(queue, rows(n)) for n in range(6)]
    await asyncio.sleep(0)
    waiting.pop().cancel()
    await asyncio.sleep(0)
    waiting.append(ask(queue, rows(9)))
    gate.open.set()
    await asyncio.gather(first, *waiting)


async def test_a_request_whose_deadline_passes_in_the_queue_is_never_run(queue, gate, clock):
    first = await busy(queue, gate)
    late = ask(queue, rows(1), deadline=clock.time() + 3600)
    await asyncio.sleep(0)
    clock.skip(7200)
    with pytest.raises(DeadlinePassed, match="while double was waited for"):
        await late
    gate.open.set()
    await first
    await queue.submit(rows(2), ("y",), deadline=None, continues=False, work=NOBODYS)
    assert gate.batches == [[0], [2]]


async def test_a_request_with_less_time_than_any_batch_ever_took_is_refused_at_once(queue, gate, clock):
    first = await busy(queue, gate)
    clock.skip(7200)
    gate.open.set()
    await first
    with pytest.raises(DeadlinePassed, match="double takes at least"):
        await queue.submit(rows(1), ("y",), deadline=clock.time() + 3600, continues=False, work=NOBODYS)
    assert gate.batches == [[0]]


async def test_one_slow_run_does_not_shut_the_door_for_ever(queue, gate, clock):
    first = await busy(queue, gate)
    clock.skip(7200)
    gate.open.set()
    await first
    for _ in range(50):
        try:
            await queue.submit(rows(1), ("y",), deadline=clock.time() + 3600, continues=False, work=NOBODYS)
            break
        except DeadlinePassed:
            continue
    assert gate.batches == [[0], [1]]


async def test_what_breaks_a_batch_is_told_to_all_in_it_and_the_next_is_run(queue, gate):
    first = await busy(queue, gate)
    others = [ask(queue, rows(1)), ask(queue, rows(2))]
    await asyncio.sleep(0)
    gate.fault = EngineFailed("out of memory")
    gate.open.set()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["out of memory"] * 3
    gate.fault = None
    assert (await queue.submit(rows(4), ("y",), deadline=None, continues=False, work=NOBODYS))["y"][0, 0] == 8


async def test_closing_ends_what_runs_and_what_waits(queue, gate):
    first = await busy(queue, gate)
    second = ask(queue, rows(1))
    await asyncio.sleep(0)
    await queue.close()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [EngineLost, EngineLost]
    with pytest.raises(EngineLost):
        await queue.submit(rows(1), ("y",), deadline=None, continues=False, work=NOBODYS)


async def test_the_queues_of_one_engine_take_turns(gate):
    shared, metrics, limits = lane(), Metrics(), BatchLimits(4, 6)
    queues = [BatchQueue(name, Kind.OTHER, gate.run, shared, limits, metrics) for name in ("left", "right")]
    for queue in queues:
        queue.start()
    asked = [ask(queue, rows(n)) for n in range(3) for queue in queues]
    await gate.entered.wait()
    gate.open.set()
    await asyncio.gather(*asked)
    assert gate.most_running == 1
    for queue in queues:
        await queue.close()


async def test_callers_take_turns_however_much_one_of_them_asks(queue, gate):
    first, gate.cost_s = await busy(queue, gate), 1.0
    many, few = Work(caller="many"), Work(caller="few")
    asked = [ask(queue, rows(*range(10, 14)), work=many)]
    asked += [ask(queue, rows(n), continues=True, work=many) for n in range(20, 24)]
    asked += [ask(queue, rows(n), continues=True, work=few) for n in (30, 31, 32)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(first, *asked)
    assert gate.batches == [[0], [10, 11, 12, 13], [30, 31, 32, 20], [21, 22, 23]]
    assert (many.used_s, few.used_s) == (1 + 0.25 + 1, 0.75)


async def test_what_cannot_be_done_in_time_when_its_turn_comes_is_told_so_and_not_run(queue, gate, clock):
    first = await busy(queue, gate)
    clock.skip(60)
    gate.open.set()
    await first
    gate.open.clear()
    gate.entered.clear()
    second = await busy(queue, gate)
    late = ask(queue, rows(1), deadline=clock.time() + 90)
    await asyncio.sleep(0)
    clock.skip(60)
    other = ask(queue, rows(2))
    with pytest.raises(DeadlinePassed, match="too little time was left"):
        await late
    gate.open.set()
    await asyncio.gather(second, other)
    assert gate.batches == [[0], [0], [2]]


async def test_depth_and_batch_sizes_are_counted(gate):
    metrics = Metrics()
    queue = BatchQueue("double", Kind.OTHER, gate.run, lane(), BatchLimits(4, 6), metrics)
    queue.start()
    first = await busy(queue, gate)
    others = [ask(queue, rows(n)) for n in (1, 2)]
    await asyncio.sleep(0)

    def value(name):
        return metrics.registry.get_sample_value(name, {"model": "double"})

    assert value("phonoscope_queue_rows") == 2
    gate.open.set()
    await asyncio.gather(first, *others)
    assert value("phonoscope_queue_rows") == 0
    assert value("phonoscope_batch_rows_count") == 2
    assert value("phonoscope_batch_rows_sum") == 3
    await queue.close()

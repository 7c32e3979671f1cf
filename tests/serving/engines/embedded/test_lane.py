import asyncio
import os
import sys
import threading

import pytest
from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import Kind
from phonoscope_serving.engines.embedded.lane import Lane


@pytest.fixture
async def lane():
    lane = Lane("test", BusyTime())
    yield lane
    lane.close()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_kind_that_costs_much_gets_fewer_turns(lane):
    served = []

    async def ask(kind, cost_s):
        async with lane.turn(kind):
            await asyncio.sleep(0)
            lane.charge(kind, "", cost_s)
            served.append(kind.value)

    waiting = [asyncio.create_task(ask(Kind.MAXIMISE, 3.0)) for _ in range(3)]
    waiting += [asyncio.create_task(ask(Kind.EXPLAIN, 1.0)) for _ in range(6)]
    await asyncio.gather(*waiting)
    assert served == [*["maximise"], *["explain"] * 3, "maximise", *["explain"] * 3, "maximise"]


async def test_who_leaves_while_waiting_is_passed_over(lane):
    served, go = [], asyncio.Event()

    async def ask(name):
        async with lane.turn(Kind.EXPLAIN):
            await go.wait()
            served.append(name)

    tasks = [asyncio.create_task(ask(name)) for name in "abcd"]
    await settle()
    assert not lane.is_wanted_beside(Kind.EXPLAIN)
    assert lane.is_wanted_beside(Kind.PREDICT)
    tasks[1].cancel()
    await settle()
    go.set()
    while "a" not in served:
        await asyncio.sleep(0)
    tasks[2].cancel()  # perhaps just as its turn has come
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served[0] == "a"
    assert served[-1] == "d"
    async with lane.turn(Kind.PREDICT):
        pass


async def test_how_long_it_has_run_can_be_seen(lane):
    go = threading.Event()
    running = asyncio.create_task(lane.run(go.wait))
    await settle()
    assert lane.running_s > 0
    go.set()
    _, cost_s = await running
    assert cost_s > 0
    assert lane.running_s == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is a process's")
async def test_a_lane_in_the_background_is_nice():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, 0)

    background = Lane("test", BusyTime(), niceness=3)
    before = niceness()
    nice, _ = await background.run(niceness)
    assert nice == min(19, before + 3)
    assert niceness() == before
    background.close()


async def test_among_a_kind_what_was_begun_goes_on_first():
    lane, order = Lane("test", BusyTime()), []

    async def work(name, *, begun):
        async with lane.turn(Kind.EXPLAIN, lambda: begun):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(work("first", begun=False), work("new", begun=False), work("begun", begun=True))
    lane.close()
    assert order == ["first", "begun", "new"]

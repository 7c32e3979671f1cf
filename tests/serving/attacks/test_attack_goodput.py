"""More than can be done by a deadline: what is done in time must stay what could be done at most.

Admission, queue and lane are the service's own. The engine is a stand-in that costs what it is told to, and time is
virtual: only so can it be said what the most would be, on whatever machine.
"""

import asyncio
from collections import Counter

import numpy as np
import pytest
from phonoscope_serving.admission.admission import Admission
from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import Kind
from phonoscope_serving.engines.embedded.batching import BatchLimits, BatchQueue
from phonoscope_serving.engines.embedded.lane import Lane
from phonoscope_serving.errors import DeadlinePassed, QueueFull
from phonoscope_serving.metrics import Metrics
from support.services import virtual_time

ROW_S, DEADLINE_S, LOAD_S = 0.05, 2.0, 15.0
LEARNING = 5  # requests, before the load


class Stand:
    """A service of one kind of work, without gRPC and sound."""

    def __init__(self, seed):
        self.random, self.outcomes, self.hints_s = np.random.default_rng(seed), Counter(), []
        metrics = Metrics()
        self.admission, lane = Admission(15.0, metrics), Lane("stand-in", BusyTime())
        self.queue = BatchQueue("explain", Kind.EXPLAIN, self._run, lane, BatchLimits(4, 128), metrics)
        self.queue.start()

    async def _run(self, lane, model, inputs, wanted):
        cost_s = float(self.random.uniform(0.8, 1.2, len(inputs["x"])).sum()) * ROW_S
        await asyncio.sleep(cost_s)
        return {"y": inputs["x"]}, cost_s

    async def ask(self, caller):
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        try:
            with self.admission.admitted(Kind.EXPLAIN, caller, deadline) as work:
                self.admission.weigh(work, "", 1, deadline)
                await self.queue.submit({"x": np.zeros((1, 1))}, ("y",), deadline=deadline, continues=False, work=work)
            self.outcomes["answered"] += 1
        except QueueFull as refused:
            self.outcomes["refused"] += 1
            self.hints_s.append(refused.retry_after_s)
            return refused.retry_after_s
        except DeadlinePassed:
            self.outcomes["late"] += 1
        return None

    async def learn(self):
        for _ in range(LEARNING):
            await self.ask("first")
        self.outcomes.clear()


async def passing_by(seed, overload):
    """Callers who ask once, come when they like, and do not come back."""
    stand, loop = Stand(seed), asyncio.get_running_loop()
    await stand.learn()
    end_s, asked = loop.time() + LOAD_S, []
    while loop.time() < end_s:
        asked.append(asyncio.create_task(stand.ask(f"caller {stand.random.integers(20)}")))
        await asyncio.sleep(stand.random.exponential(ROW_S / overload))
    await asyncio.gather(*asked)
    await stand.queue.close()
    return stand


async def insisting(seed, callers):
    """Callers who ask again as soon as they were answered, or when they are told to."""
    stand, loop = Stand(seed), asyncio.get_running_loop()
    await stand.learn()
    end_s = loop.time() + LOAD_S

    async def insist(name):
        while loop.time() < end_s:
            await asyncio.sleep(await stand.ask(name) or 0.0)

    await asyncio.gather(*(insist(f"caller {number}") for number in range(callers)))
    await stand.queue.close()
    return stand


@pytest.mark.parametrize("overload", [1.5, 2, 4, 10])
def test_attack_under_overload_as_much_is_done_in_time_as_can_be(overload):
    outcomes = virtual_time.run(passing_by(0, overload)).outcomes
    assert outcomes["answered"] >= 0.9 * LOAD_S / ROW_S
    assert outcomes["refused"] > outcomes["late"]  # whoever has no chance is told at once, and when there is one


def test_attack_callers_who_do_as_they_are_told_are_answered_as_much_as_can_be():
    stand = virtual_time.run(insisting(seed=0, callers=100))
    assert stand.outcomes["answered"] >= 0.9 * LOAD_S / ROW_S
    assert all(0 < hint_s <= 30 for hint_s in stand.hints_s)


def test_without_overload_nobody_is_refused():
    outcomes = virtual_time.run(passing_by(seed=0, overload=0.5)).outcomes
    assert set(outcomes) == {"answered"}

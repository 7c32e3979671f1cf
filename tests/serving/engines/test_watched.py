import asyncio

import numpy as np
import pytest
from phonoscope_serving.engines.watched import FAILURES, IDLE_S, WatchedEngine
from phonoscope_serving.errors import EngineFailed, EngineLost, QueueFull


class Ailing:
    """A fake engine, since no real one fails when it is told to: answers golden inputs with the golden outputs."""

    device = "fake"
    precision = "float32"

    def __init__(self, bundle):
        self._golden, self.fault, self.running_s, self.asked = bundle.golden(), None, 0.0, []
        self.off, self.unready = 0.0, set()

    async def start(self):
        pass

    def is_ready(self, model):
        return model not in self.unready

    async def check(self):
        pass

    async def infer(self, model, inputs, **options):
        self.asked.append(model)
        if self.fault:
            raise self.fault
        prefix = f"{model}.output."
        made = {name.removeprefix(prefix): tensor for name, tensor in self._golden.items() if name.startswith(prefix)}
        return {name: tensor + np.asarray(self.off, tensor.dtype) for name, tensor in made.items()}


@pytest.fixture
def ailing(bundle):
    return Ailing(bundle)


@pytest.fixture
async def engine(ailing, bundle):
    engine = WatchedEngine(ailing, bundle, hung_s=10.0)
    await engine.start()
    return engine


async def fail(engine, ailing, times, fault):
    ailing.fault = fault
    for _ in range(times):
        with pytest.raises(type(fault)):
            await engine.infer("predict", {})


async def test_without_doubt_nothing_is_computed(engine, ailing):
    await engine.check()
    assert ailing.asked == []


async def test_an_engine_that_fails_run_after_run_is_lost_until_a_golden_vector_is_right_again(engine, ailing, bundle):
    await fail(engine, ailing, FAILURES, EngineFailed("broken"))
    for _ in range(3):
        with pytest.raises(EngineLost, match="golden vector cannot be computed: broken"):
            await engine.check()
    ailing.fault = None
    await engine.check()
    assert ailing.asked[-1] == bundle.default.rules[0].ensemble
    asked = len(ailing.asked)
    await engine.check()
    assert len(ailing.asked) == asked


async def test_attack_a_caller_whose_requests_fail_does_not_make_the_engine_look_broken(engine, ailing):
    await fail(engine, ailing, 10 * FAILURES, EngineFailed("what was asked for cannot be run"))
    ailing.fault = None
    await engine.check()


async def test_refusals_are_no_failures(engine, ailing):
    await fail(engine, ailing, 10, QueueFull("full", 1.0))
    await engine.check()
    assert len(ailing.asked) == 10


async def test_an_engine_that_computes_something_else_is_lost(engine, ailing):
    await fail(engine, ailing, FAILURES, EngineFailed("once"))
    ailing.fault, ailing.off = None, 0.5
    with pytest.raises(EngineLost, match="off the golden one"):
        await engine.check()


async def test_an_idle_engine_is_tried_now_and_then(engine, ailing, clock):
    clock.skip(IDLE_S + 1)
    await engine.check()
    await engine.check()
    assert len(ailing.asked) == 1
    clock.skip(IDLE_S + 1)
    ailing.fault = EngineFailed("broken")
    with pytest.raises(EngineLost):
        await engine.check()


async def test_an_idle_engine_is_tried_by_what_was_asked_and_loads_nothing_for_it(engine, ailing, clock):
    ailing.unready = {"explain_masker", "predict"}
    clock.skip(IDLE_S + 1)
    await engine.check()
    assert ailing.asked == []
    ailing.unready = {"explain_masker"}
    await engine.check()
    assert ailing.asked == ["predict"]


async def test_a_run_that_does_not_end_is_taken_to_hang(engine, ailing):
    ailing.running_s = 11.0
    with pytest.raises(EngineLost, match="has not ended for 11 s"):
        await engine.check()
    await asyncio.sleep(0)


async def test_in_less_precision_doubt_is_settled_by_what_was_computed_at_the_start(ailing, bundle):
    ailing.precision, ailing.off = "bfloat16", 0.1  # further from the golden vectors than float32 may be
    engine = WatchedEngine(ailing, bundle, hung_s=10.0)
    await engine.start()
    await fail(engine, ailing, FAILURES, EngineFailed("broken"))
    ailing.fault = None
    await engine.check()
    await fail(engine, ailing, FAILURES, EngineFailed("broken"))
    ailing.fault, ailing.off = None, 0.2
    with pytest.raises(EngineLost, match="off the golden one"):
        await engine.check()

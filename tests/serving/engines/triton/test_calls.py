"""Calls that are sent are never taken back; a server that can be held takes the real one's place here."""

import asyncio

import pytest
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.engines.triton import calls as triton_calls
from phonoscope_serving.engines.triton.calls import CallLimits, Calls
from phonoscope_serving.errors import DeadlinePassed, EngineFailed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics


class Server:
    """Answers a call with its name once it is released, and remembers what was sent and what was taken back."""

    def __init__(self):
        self.sent, self.taken_back = [], []
        self.released = asyncio.Event()
        self.fault = None

    def call(self, name):
        async def send():
            self.sent.append(name)
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.taken_back.append(name)
                raise
            if self.fault:
                raise self.fault
            return name

        return send


@pytest.fixture
async def server():
    return Server()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def calls(server, metrics):
    calls = Calls(CallLimits(queue_rows=6, sent_rows=4), lambda: 0.5, metrics)
    yield calls
    server.released.set()
    await calls.close()


@pytest.fixture
def ask(server, calls):
    def ask(name, rows, deadline=None, continues=False, model="explain", caller=""):
        work = Work(Kind.EXPLAIN, caller)
        call = calls.run(model, rows, server.call(name), deadline=deadline, continues=continues, work=work)
        return asyncio.create_task(call)

    return ask


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_call_whose_caller_left_runs_to_its_end_and_keeps_its_place(server, ask, metrics):
    left = ask("left", 3)
    await settled()
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    stays = ask("stays", 3)
    await settled()
    assert server.sent == ["left"]
    assert metrics.registry.get_sample_value("phonoscope_queue_rows", {"model": "explain"}) == 6
    server.released.set()
    assert await stays == "stays"
    assert server.sent == ["left", "stays"]
    assert server.taken_back == []
    assert metrics.registry.get_sample_value("phonoscope_queue_rows", {"model": "explain"}) == 0


async def test_a_call_that_waits_here_is_not_sent_once_its_caller_left(server, ask):
    first, left, last = ask("first", 4), ask("left", 1), ask("last", 1)
    await settled()
    left.cancel()
    server.released.set()
    assert await first == "first"
    assert await last == "last"
    assert server.sent == ["first", "last"]


async def test_who_comes_first_is_sent_first_though_a_smaller_one_would_fit(server, ask):
    calls = [ask("first", 3), ask("large", 4, continues=True), ask("small", 1, continues=True)]
    await settled()
    assert server.sent == ["first"]
    server.released.set()
    assert await asyncio.gather(*calls) == ["first", "large", "small"]
    assert server.sent == ["first", "large", "small"]


async def test_attack_a_caller_with_many_calls_does_not_keep_another_waiting(server, ask):
    many = [ask(f"many {number}", 4, continues=True, caller="many") for number in range(5)]
    few = [ask(f"few {number}", 4, continues=True, caller="few") for number in range(2)]
    await settled()
    assert server.sent == ["many 0"]
    server.released.set()
    await asyncio.gather(*many, *few)
    assert server.sent == ["many 0", "few 0", "many 1", "few 1", "many 2", "many 3", "many 4"]


async def test_who_leaves_just_as_there_is_room_leaves_the_room_to_others(server, ask):
    first, second, third = ask("first", 4), ask("second", 4, continues=True), ask("third", 4, continues=True)
    await settled()
    server.released.set()
    first.add_done_callback(lambda _: second.cancel())
    assert await asyncio.gather(first, third) == ["first", "third"]
    await settled()
    assert second.cancelled() or second.done()


async def test_attack_a_server_that_is_silent_is_given_up_by_all_who_wait(server, ask, calls):
    sent, waits = ask("sent", 4), ask("waits", 4, continues=True)
    await settled()
    calls.end_waits()
    for call in (sent, waits):
        with pytest.raises(EngineLost, match="its server is silent"):
            await call
    assert (server.sent, server.taken_back) == (["sent"], [])
    later = ask("later", 4, continues=True)
    server.released.set()
    assert await later == "later"


async def test_models_do_not_wait_for_one_another(server, ask):
    calls = [ask("one", 4), ask("another", 4, model="listen")]
    await settled()
    assert server.sent == ["one", "another"]
    server.released.set()
    await asyncio.gather(*calls)


async def test_a_call_of_more_rows_than_may_be_sent_is_sent_alone(server, ask):
    large = ask("large", 9)
    await settled()
    assert server.sent == ["large"]
    server.released.set()
    assert await large == "large"


async def test_more_than_may_wait_is_refused_unless_it_has_begun(server, ask):
    calls = [ask("first", 4), ask("second", 2)]
    await settled()
    with pytest.raises(QueueFull, match="6 rows wait for explain; at most 6 may") as refused:
        await ask("third", 1)
    assert refused.value.retry_after_s == 0.5
    continued = ask("continued", 1, continues=True)
    server.released.set()
    assert await asyncio.gather(*calls, continued) == ["first", "second", "continued"]


@pytest.mark.parametrize("ahead", [0, 4])
async def test_a_deadline_ends_the_wait_and_not_the_call(server, ask, clock, ahead):
    first = ask("first", ahead) if ahead else None
    late = ask("late", 2, deadline=clock.time() + 3600)
    await settled()
    clock.skip(7200)
    with pytest.raises(DeadlinePassed, match="while explain was waited for"):
        await late
    server.released.set()
    if first:
        assert await first == "first"
    assert server.sent == (["first"] if ahead else ["late"])
    assert server.taken_back == []


async def test_what_the_server_says_is_heard(server, ask):
    server.fault = EngineFailed("it could not be run")
    call = ask("call", 1)
    server.released.set()
    with pytest.raises(EngineFailed, match="it could not be run"):
        await call


async def test_nobody_hears_what_becomes_of_a_call_that_was_left(server, ask, caplog):
    server.fault = EngineFailed("it could not be run")
    left = ask("left", 1)
    await settled()
    left.cancel()
    server.released.set()
    await settled()
    assert caplog.records == []


async def test_an_abandoned_call_is_given_up_after_a_while(server, ask, clock):
    left, waits = ask("left", 4), ask("waits", 4, continues=True)
    await settled()
    left.cancel()
    await settled()
    assert server.taken_back == []
    clock.skip(triton_calls.ABANDONED_S + 3600)
    await asyncio.sleep(0.01)  # the loop looks at its clock
    await settled()
    assert server.taken_back == ["left"]
    server.released.set()
    assert await waits == "waits"


async def test_closing_ends_every_wait_at_once_and_the_calls_when_they_are_answered(server, calls, ask):
    waiting = ask("waiting", 4)
    await settled()
    closing = asyncio.create_task(calls.close())
    with pytest.raises(EngineLost, match="has stopped"):
        await waiting
    assert not closing.done()
    server.released.set()
    await closing
    assert server.taken_back == []


async def test_closing_does_not_wait_for_ever(server, calls, ask, monkeypatch):
    monkeypatch.setattr(triton_calls, "CLOSE_S", 0.02)
    waiting = ask("waiting", 4)
    await settled()
    await calls.close()
    with pytest.raises(EngineLost):
        await waiting
    assert server.taken_back == ["waiting"]

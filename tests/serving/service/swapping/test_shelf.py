"""The shelf, with engines that only say when they were closed."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from phonoscope_serving.service.request_context import BUNDLE
from phonoscope_serving.service.swapping.served import Served
from phonoscope_serving.service.swapping.shelf import Shelf


@dataclass
class Engine:
    closed: bool = False
    running_s: float = 0.0
    checks: list[str] = field(default_factory=list)

    async def check(self):
        await asyncio.sleep(0)
        self.checks.append("closed" if self.closed else "asked")

    async def close(self):
        self.closed = True


def named(name):
    return Served(SimpleNamespace(name=name), Engine(), {}, None, None)


@pytest.fixture
def told():
    return []


@pytest.fixture
def shelf(told):
    return Shelf(named("first"), lambda served, loaded: told.append((served.bundle.name, loaded)))


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_request_keeps_the_bundle_it_began_with(shelf, told):
    with shelf.lend() as first:
        assert BUNDLE.get() == "first"
        shelf.replace(named("second"))
        await settle()
        assert first.bundle.name == "first"
        assert not first.engine.closed
        with shelf.lend() as second:
            assert (second.bundle.name, BUNDLE.get()) == ("second", "second")
    await settle()
    assert first.engine.closed
    assert not second.engine.closed
    assert told == [("first", 1), ("second", 2), ("second", 1)]


async def test_the_last_of_several_requests_has_a_bundle_unloaded(shelf):
    with shelf.lend() as first:
        with shelf.lend():
            shelf.replace(named("second"))
        await settle()
        assert not first.engine.closed
    await settle()
    assert first.engine.closed


async def test_a_request_that_fails_gives_its_bundle_back(shelf):
    first = shelf.current

    def fail():
        with shelf.lend():
            shelf.replace(named("second"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    await settle()
    assert first.engine.closed


async def test_what_runs_on_any_engine_is_watched_and_only_the_current_one_is_asked_how_it_is(shelf):
    with shelf.lend() as first:
        shelf.replace(named("second"))
        first.engine.running_s = 40.0
        assert shelf.running_s == 40.0
        await shelf.check()
    assert (first.engine.checks, shelf.current.engine.checks) == ([], ["asked"])


async def test_a_bundle_that_is_being_checked_is_not_unloaded_under_it(shelf):
    first = shelf.current
    checking = asyncio.create_task(shelf.check())
    await asyncio.sleep(0)
    shelf.replace(named("second"))
    await checking
    await settle()
    assert (first.engine.checks, first.engine.closed) == (["asked"], True)


async def test_closing_closes_what_was_replaced_too(shelf):
    with shelf.lend() as first:
        shelf.replace(named("second"))
        await settle()
        await shelf.close()
    assert first.engine.closed
    assert shelf.current.engine.closed

import asyncio

import pytest
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.engines.remembered import ENTRY_BYTES, Remembered, RememberOptions
from phonoscope_serving.errors import DeadlinePassed, EngineFailed
from phonoscope_serving.metrics import Metrics

LONG_S = 3600.0


class Maker:
    """Makes of each key a sentence, once it may."""

    def __init__(self, fails=0):
        self.made, self.may, self.fails = [], asyncio.Event(), fails
        self.may.set()

    async def __call__(self, keys):
        self.made.append(list(keys))
        await self.may.wait()
        if self.fails:
            self.fails -= 1
            raise EngineFailed("broken")
        return {key: f"of {key}" for key in keys}


class Asked:
    """A store, and what was counted of it."""

    def __init__(self, seconds=LONG_S, most_bytes=1 << 20, size=100):
        self.metrics, self.size, self.work = Metrics(), size, Work(Kind.EXPLAIN)
        self.store = Remembered(RememberOptions(seconds, most_bytes), self.metrics)

    async def __call__(self, keys, maker, deadline=None, work=None):
        work = work or self.work
        return await self.store.each(list(keys), maker, lambda _: self.size, work=work, deadline=deadline)

    def count(self, outcome):
        labels = {"kind": "explain", "outcome": outcome}
        return self.metrics.registry.get_sample_value("phonoscope_remembered_total", labels) or 0

    @property
    def bytes(self):
        return self.metrics.registry.get_sample_value("phonoscope_remembered_bytes")


async def test_what_was_made_is_not_made_again_and_the_rest_is():
    asked, maker = Asked(), Maker()
    assert await asked("ab", maker) == {"a": "of a", "b": "of b"}
    assert not asked.work.is_shared
    assert await asked("bca", maker) == {"a": "of a", "b": "of b", "c": "of c"}
    assert maker.made == [["a", "b"], ["c"]]
    assert (asked.count("miss"), asked.count("hit"), asked.bytes) == (3, 2, 3 * (ENTRY_BYTES + 100))
    assert asked.work.is_shared
    asked.store.clear()
    assert asked.bytes == 0


async def test_a_key_that_comes_twice_is_made_once():
    asked, maker = Asked(), Maker()
    assert await asked("aa", maker) == {"a": "of a"}
    assert maker.made == [["a"]]


async def test_what_was_asked_for_longest_ago_goes_first_and_what_is_large_is_not_kept():
    asked, maker = Asked(most_bytes=8 * ENTRY_BYTES, size=ENTRY_BYTES), Maker()
    await asked("abcd", maker)
    await asked("a", maker)
    await asked("e", maker)
    assert asked.bytes == 8 * ENTRY_BYTES
    await asked("acde", maker)
    assert maker.made == [["a", "b", "c", "d"], ["e"]]
    asked.size = 3 * ENTRY_BYTES
    await asked("large", Maker())
    assert await asked(["x"], maker) == {"x": "of x"}
    assert await asked(["x"], maker) == {"x": "of x"}
    assert maker.made[-2:] == [["x"], ["x"]]


async def test_what_nobody_asks_for_is_forgotten_without_being_asked_for_again():
    asked = Asked(seconds=0.02)
    await asked("ab", Maker())
    assert asked.bytes
    while asked.bytes:
        await asyncio.sleep(0.01)


async def test_who_asks_for_what_is_being_made_waits_for_it():
    asked, maker, second = Asked(), Maker(), Work(Kind.EXPLAIN)
    maker.may.clear()
    first = asyncio.create_task(asked("ab", maker))
    await asyncio.sleep(0)
    other = asyncio.create_task(asked("bc", maker, work=second))
    await asyncio.sleep(0)
    maker.may.set()
    assert await first == {"a": "of a", "b": "of b"}
    assert await other == {"b": "of b", "c": "of c"}
    assert maker.made == [["a", "b"], ["c"]]
    assert second.is_shared
    assert not asked.work.is_shared
    assert asked.count("shared") == 1


@pytest.mark.parametrize("ends", ["fails", "leaves"])
async def test_who_waited_for_one_that_came_to_nothing_makes_it(ends):
    asked, maker = Asked(), Maker(fails=int(ends == "fails"))
    maker.may.clear()
    first = asyncio.create_task(asked("a", maker))
    await asyncio.sleep(0)
    others = [asyncio.create_task(asked("a", maker)) for _ in range(2)]
    await asyncio.sleep(0)
    if ends == "leaves":
        first.cancel()
        await asyncio.sleep(0)
    maker.may.set()
    assert await asyncio.gather(*others) == [{"a": "of a"}] * 2
    assert len(maker.made) == 2
    with pytest.raises((EngineFailed, asyncio.CancelledError)):
        await first


async def test_who_waits_for_another_call_does_so_until_the_deadline():
    asked, maker = Asked(), Maker()
    maker.may.clear()
    first = asyncio.create_task(asked("a", maker))
    await asyncio.sleep(0)
    with pytest.raises(DeadlinePassed, match="for another call"):
        await asked("a", maker, deadline=asyncio.get_running_loop().time())
    maker.may.set()
    assert await first == {"a": "of a"}

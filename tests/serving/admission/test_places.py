import asyncio

import pytest
from phonoscope_serving.admission.places import Places
from phonoscope_serving.errors import QueueFull


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


class Room:
    """Callers who come, and stay until they are let go."""

    def __init__(self, places, waiting=8):
        self.places, self.inside, self._leave = Places("be served", places, waiting), [], {}

    async def come(self, *callers):
        tasks = [asyncio.create_task(self._stay(caller)) for caller in callers]
        await settle()
        return tasks

    async def _stay(self, caller):
        async with self.places.place(caller):
            self.inside.append(caller)
            try:
                await self._leave.setdefault(caller, asyncio.Event()).wait()
            finally:
                self.inside.remove(caller)

    async def go(self, caller):
        self._leave.pop(caller).set()
        await settle()

    async def close(self, tasks):
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def is_free(room):
    return room.inside == [] and room.places._taken.total() == 0


async def test_a_caller_has_half_of_the_places_at_most():
    room = Room(4)
    tasks = await room.come("a", "a", "a", "a", "b", "c")
    assert sorted(room.inside) == ["a", "a", "b", "c"]
    await room.close(tasks)
    assert is_free(room)


async def test_a_free_place_goes_to_who_has_the_fewest_then_to_who_came_first():
    room = Room(3)
    tasks = await room.come("a", "b", "c", "a", "d", "e")
    assert room.inside == ["a", "b", "c"]
    await room.go("b")
    assert sorted(room.inside) == ["a", "c", "d"]
    await room.go("c")
    assert sorted(room.inside) == ["a", "d", "e"]
    await room.close(tasks)
    assert is_free(room)


async def test_who_leaves_the_line_or_is_cancelled_at_the_door_takes_no_place():
    room = Room(2)
    tasks = await room.come("a", "b", "c", "d")
    tasks[2].cancel()
    await settle()
    room._leave["a"].set()  # the place goes to d, who is cancelled before hearing of it
    await asyncio.sleep(0)
    tasks[3].cancel()
    await settle()
    assert room.inside == ["b"]
    tasks += await room.come("e")
    assert room.inside == ["b", "e"]
    await room.close(tasks)
    assert is_free(room)


async def test_a_line_that_is_full_refuses():
    room = Room(2, waiting=1)
    tasks = await room.come("a", "a", "b")
    tasks += await room.come("c", "d")
    refused = [task.exception() for task in tasks if task.done()]
    assert [type(error) for error in refused] == [QueueFull, QueueFull]
    with pytest.raises(QueueFull, match="wait to be served"):
        async with room.places.place("a"):
            pass
    await room.close(tasks)

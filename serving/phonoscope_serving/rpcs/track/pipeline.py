"""Work that is done while what was done before it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def one_ahead(
    work: Callable[[Item], Coroutine[Any, Any, Result]], items: Iterable[Item]
) -> AsyncGenerator[Result]:
    """The results of some work on items, in order; the next is being made while one is told.

    Args:
        work: makes a result.
        items: of which.
    """
    before: asyncio.Task[Result] | None = None
    following: asyncio.Task[Result] | None = None
    try:
        for item in items:
            before, following = following, asyncio.create_task(work(item))
            if before is not None:
                yield await before
        if following is not None:
            yield await following
    finally:
        left = [task for task in (before, following) if task is not None and not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

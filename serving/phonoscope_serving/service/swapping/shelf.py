"""The bundle that is served, lent to each request while that is answered, and unloaded once it was replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from phonoscope_serving.service.request_context import BUNDLE
from phonoscope_serving.service.swapping.served import Served


class Shelf:
    """Which bundle answers, and which ones are still in use."""

    def __init__(self, served: Served, on_change: Callable[[Served, int], None]) -> None:
        """Has one bundle.

        Args:
            served: answers from now on.
            on_change: told what is served and how many bundles are loaded, now and at every change.
        """
        self._current = _Copy(served)
        self._replaced: dict[_Copy, asyncio.Task[None]] = {}
        self._on_change = on_change
        self._tell()

    @property
    def current(self) -> Served:
        """What answers a request that begins now."""
        return self._current.served

    @property
    def running_s(self) -> float:
        """How long what any engine runs has gone on, in seconds."""
        return max(copy.served.engine.running_s for copy in (self._current, *self._replaced))

    async def check(self) -> None:
        """See `Engine.check`, of what is served, which stays loaded for as long as that takes."""
        copy = self._current
        with copy.lent():
            await copy.served.engine.check()

    @contextmanager
    def lend(self) -> Iterator[Served]:
        """What is served now, which stays loaded until the block ends; the log names it for this call."""
        copy = self._current
        BUNDLE.set(copy.served.bundle.name)
        with copy.lent():
            yield copy.served

    def replace(self, served: Served) -> None:
        """Has another bundle answer every request that begins from now on.

        Args:
            served: its engine has been started.
        """
        old, self._current = self._current, _Copy(served)
        self._replaced[old] = asyncio.create_task(self._unload(old))
        self._tell()

    async def close(self) -> None:
        """Unloads all of them; nobody has any more."""
        for task in self._replaced.values():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for copy in (self._current, *self._replaced):
            await copy.served.engine.close()

    async def _unload(self, copy: _Copy) -> None:
        await copy.returned()
        await copy.served.engine.close()
        del self._replaced[copy]
        self._tell()

    def _tell(self) -> None:
        self._on_change(self.current, 1 + len(self._replaced))


class _Copy:
    """One bundle, and by how many requests it is used."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self._lent, self._is_free = 0, asyncio.Event()
        self._is_free.set()

    @contextmanager
    def lent(self) -> Iterator[None]:
        self._lent += 1
        self._is_free.clear()
        try:
            yield
        finally:
            self._lent -= 1
            if not self._lent:
                self._is_free.set()

    async def returned(self) -> None:
        """Waits until nobody has it."""
        await self._is_free.wait()

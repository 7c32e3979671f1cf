"""What was computed a short while ago, by what it was computed of: bounded in time and in bytes.

Who asks for what is being computed waits for that. What failed is remembered by nobody: each who waited tries again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from phonoscope_serving.admission.work import Work
from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.metrics import Metrics

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
ENTRY_BYTES = 1 << 10  # about what an entry takes beside its arrays
LARGEST_SHARE = 4  # what takes more than this part of all there is would push out too much that others ask for


@dataclass(frozen=True)
class RememberOptions:
    """For how long answers are kept, and how many."""

    seconds: float = 0.0  # since they were last asked for; 0: nothing is kept
    most_bytes: int = 64 << 20


@dataclass
class _Kept:
    """Something that was computed."""

    value: Any
    size_bytes: int
    asked_s: float  # when it was asked for last, on the event loop's clock


class Remembered:
    """Of one bundle; another has one of its own, so that nothing is answered out of two."""

    def __init__(self, options: RememberOptions, metrics: Metrics) -> None:
        """Nothing is known yet.

        Args:
            options: for how long, and how much.
            metrics: where hits, misses and bytes are counted.
        """
        self._options, self._metrics = options, metrics
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()  # what was asked for longest ago comes first
        self._coming: dict[Hashable, asyncio.Future[None]] = {}
        self._size_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    async def each(
        self,
        keys: Sequence[Key],
        make: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]],
        size_of: Callable[[Value], int],
        *,
        work: Work,
        deadline: float | None,
    ) -> dict[Key, Value]:
        """The value of each key: kept, waited for, or made.

        Args:
            keys: what is asked for; one that comes again is made once.
            make: makes those that nobody has made or is making.
            size_of: bytes of a value.
            work: the request it is for.
            deadline: until when others are waited for, on the event loop's clock, in seconds.

        Raises:
            DeadlinePassed: others were not done by then; or whatever `make` raises.
        """
        found: dict[Key, Value] = {}
        missing, waited = list(dict.fromkeys(keys)), set[Key]()
        while missing:
            for key in [key for key in missing if key in self._kept]:
                found[key] = self._recalled(key)
                self._count(work, "shared" if key in waited else "hit")
            missing = [key for key in missing if key not in found]
            own = [key for key in missing if key not in self._coming]
            waited.update(key for key in missing if key in self._coming)
            if own:
                found.update(await self._made(own, make, size_of, work))
            elif missing:
                await self._others([self._coming[key] for key in missing], deadline)
            missing = [key for key in missing if key not in found]
        return found

    def clear(self) -> None:
        """Forgets everything."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for key in [*self._kept]:
            self._forget(key)

    async def _made(
        self,
        keys: Sequence[Key],
        make: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]],
        size_of: Callable[[Value], int],
        work: Work,
    ) -> Mapping[Key, Value]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coming |= dict.fromkeys(keys, done)
        try:
            made = await make(keys)
            for key in keys:
                self._keep(key, made[key], size_of(made[key]))
                self._count(work, "miss")
            return made
        finally:
            for key in keys:
                del self._coming[key]
            done.set_result(None)

    async def _others(self, coming: Sequence[asyncio.Future[None]], deadline: float | None) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.wait(coming)
        except TimeoutError:
            raise DeadlinePassed("the deadline passed while the same was computed for another call") from None

    def _recalled(self, key: Hashable) -> Any:  # noqa: ANN401 - of many kinds
        kept = self._kept[key]
        kept.asked_s = asyncio.get_running_loop().time()
        self._kept.move_to_end(key)
        return kept.value

    def _keep(self, key: Hashable, value: object, value_bytes: int) -> None:
        size_bytes, now_s = ENTRY_BYTES + value_bytes, asyncio.get_running_loop().time()
        if size_bytes * LARGEST_SHARE > self._options.most_bytes:
            return
        if key in self._kept:
            self._forget(key)
        self._kept[key] = _Kept(value, size_bytes, now_s)
        self._grow(size_bytes)
        while self._size_bytes > self._options.most_bytes:
            self._forget(next(iter(self._kept)))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._options.seconds, self._forget_the_old)

    def _forget_the_old(self) -> None:
        """Forgets what nobody has asked for; comes again when the next of them is old."""
        loop, self._timer = asyncio.get_running_loop(), None
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            old_s = kept.asked_s + self._options.seconds
            if old_s > loop.time():
                self._timer = loop.call_at(old_s, self._forget_the_old)
                return
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        self._grow(-self._kept.pop(key).size_bytes)

    def _grow(self, by_bytes: int) -> None:
        self._size_bytes += by_bytes
        self._metrics.remembered_bytes.inc(by_bytes)

    def _count(self, work: Work, outcome: str) -> None:
        work.is_shared |= outcome != "miss"
        self._metrics.remembered.labels(work.kind.value, outcome).inc()

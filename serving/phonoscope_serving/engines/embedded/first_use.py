"""Models that are loaded, and proven, when they are first asked: for those who ask few of a bundle's.

Other calls go on meanwhile, on their own lanes, and nobody is charged for the loading. Models are loaded one after
another, so that what loading takes is never taken twice at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.engines.embedded.lane import Lane
from phonoscope_serving.errors import BundleError, DeadlinePassed, EngineLost, NotProven
from phonoscope_serving.metrics import Metrics

LOG = logging.getLogger("phonoscope.engine")


class FirstUse:
    """Which models were asked, and what came of loading them."""

    def __init__(self, load: Callable[[str], None], metrics: Metrics) -> None:
        """Nothing was asked yet.

        Args:
            load: a model with all that it is composed of, and proves it.
            metrics: where refused models are noted.
        """
        self._load, self._metrics = load, metrics
        self._lane = Lane("engine, loading", BusyTime())
        self._one = asyncio.Lock()
        self._loading: dict[str, asyncio.Task[None]] = {}  # by model; those that are done, too
        self._refused: dict[str, str] = {}  # why

    @property
    def running_s(self) -> float:
        """How long the loading of a model has gone on, in seconds; 0 where none is loaded."""
        return self._lane.running_s

    @property
    def ready(self) -> frozenset[str]:
        """The models that were asked, and can be run."""
        return frozenset(name for name, task in self._loading.items() if task.done() and name not in self._refused)

    async def of(self, model: str, deadline: float | None) -> None:
        """Waits until a model can be run; of one that could not be proven it is known from then on.

        Args:
            model: its name.
            deadline: see `Engine.infer`; who does not wait any longer leaves it to others.

        Raises:
            NotProven: its numbers are not the golden ones, or it cannot be loaded.
            DeadlinePassed: `deadline` passed.
            EngineLost: the engine has stopped.
        """
        if model not in self._loading:
            self._loading[model] = asyncio.create_task(self._first(model), name=f"load {model}")
        if not (loading := self._loading[model]).done():
            try:
                async with asyncio.timeout_at(deadline):
                    await asyncio.shield(loading)
            except TimeoutError:
                raise DeadlinePassed(f"the deadline passed while {model} was loaded, which is its first use") from None
            except asyncio.CancelledError:
                if loading.cancelled():
                    raise EngineLost("the engine has stopped") from None
                raise
        if model in self._refused:
            raise NotProven(f"{model} is not used, since it failed its proof: {self._refused[model]}")

    async def close(self) -> None:
        """Ends what waits to be loaded, and waits for what is being loaded."""
        for task in self._loading.values():
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)
        await asyncio.to_thread(self._lane.close)
        for model in self._refused:
            self._metrics.models_refused.labels(model).dec()  # another bundle's may be sound

    async def _first(self, model: str) -> None:
        async with self._one:
            try:
                _, took_s = await self._lane.run(lambda: self._load(model))
            except BundleError as error:
                self._refused[model] = str(error)
                self._metrics.models_refused.labels(model).inc()
                LOG.error("a model is refused", extra={"model": model, "reason": str(error)})
            except BaseException:
                del self._loading[model]  # memory may suffice the next time
                raise
            else:
                LOG.info("a model was asked for the first time", extra={"model": model, "loaded_s": round(took_s, 3)})

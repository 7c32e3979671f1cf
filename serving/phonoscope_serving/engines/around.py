"""An engine around another: what it does not do itself, the other does."""

from __future__ import annotations

from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.engines.engine import Engine


class AroundEngine:
    """All of an `Engine` but `infer`, handed on; what is around it overrides what it has something to add to."""

    def __init__(self, engine: Engine) -> None:
        """Hands on to an engine."""
        self._engine = engine

    @property
    def device(self) -> str:
        """See `Engine.device`."""
        return self._engine.device

    @property
    def precision(self) -> Precision:
        """See `Engine.precision`."""
        return self._engine.precision

    @property
    def running_s(self) -> float:
        """See `Engine.running_s`."""
        return self._engine.running_s

    def is_ready(self, model: str) -> bool:
        """See `Engine.is_ready`."""
        return self._engine.is_ready(model)

    async def start(self) -> None:
        """See `Engine.start`."""
        await self._engine.start()

    async def check(self) -> None:
        """See `Engine.check`."""
        await self._engine.check()

    async def close(self) -> None:
        """See `Engine.close`."""
        await self._engine.close()

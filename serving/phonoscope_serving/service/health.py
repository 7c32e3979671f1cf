"""The standard health service, which follows the engine and lets the server end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from grpc_health.v1 import health, health_pb2

from phonoscope_serving.errors import EngineLost

LOG = logging.getLogger("phonoscope.server")

CHECK_S = 2.0  # between two looks at what a service depends on
LAST_WORD_S = 0.5  # for NOT_SERVING to leave before a watch ends


class DrainingHealth(health.aio.HealthServicer):  # type: ignore[misc]  # grpc ships no types
    """`grpc.health.v1.Health`; a watch that never ended would make every drain take all the time it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._draining = asyncio.Event()

    async def Watch(self, request: Any, context: Any) -> None:  # noqa: ANN401, N802 - the name of the RPC
        """Status now and at every change, until the server drains."""
        watching = asyncio.create_task(super().Watch(request, context))
        draining = asyncio.create_task(self._draining.wait())
        try:
            await asyncio.wait({watching, draining}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({watching}, timeout=LAST_WORD_S)
        finally:
            watching.cancel()
            draining.cancel()

    async def follow(self, service: str, check: Callable[[], Awaitable[None]]) -> None:
        """Has one service be NOT_SERVING while what it depends on is away; runs until it is cancelled.

        The status of the whole process, "", stays: a restart of it would mend nothing.

        Args:
            service: full name of a service that is SERVING now.
            check: raises EngineLost while it is away.
        """
        reason = ""
        while True:
            await asyncio.sleep(CHECK_S)
            was_away, reason = bool(reason), await _why_away(check)
            if reason and not was_away:
                LOG.warning("the engine is away", extra={"reason": reason})
                await self.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)
            elif was_away and not reason:
                LOG.info("the engine is back")
                await self.set(service, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Everything is NOT_SERVING from now on, and watches end."""
        await self.enter_graceful_shutdown()
        self._draining.set()


async def _why_away(check: Callable[[], Awaitable[None]]) -> str:
    try:
        await check()
    except EngineLost as error:
        return str(error)
    return ""

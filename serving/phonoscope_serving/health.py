"""Health that lets the server end: the standard service, whose watches end once they have said NOT_SERVING."""

from __future__ import annotations

import asyncio
from typing import Any

from grpc_health.v1 import health

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

    async def drain(self) -> None:
        """Everything is NOT_SERVING from now on, and watches end."""
        await self.enter_graceful_shutdown()
        self._draining.set()

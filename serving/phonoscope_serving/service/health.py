"""The standard health service, which follows the engine and lets the server end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from phonoscope_serving.errors import EngineLost

LOG = logging.getLogger("phonoscope.server")

CHECK_S = 2.0  # between two looks at what a service depends on
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # grpc ships no types
    """`grpc.health.v1.Health`, of the whole process, "", and of each service by its full name.

    The servicer that grpc ships forgets its other watchers when one of them leaves, and never ends a watch.
    """

    def __init__(self) -> None:
        self._status = {"": SERVING}
        self._changed = asyncio.Event()  # set once, at the next change
        self._draining = False

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - the name of the RPC
        """The status now."""
        if request.service not in self._status:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return health_pb2.HealthCheckResponse(status=self._status[request.service])

    async def Watch(self, request: Any, context: Any) -> AsyncGenerator[Any]:  # noqa: ANN401, ARG002, N802 - likewise
        """The status now and at every change, until the server drains, which would wait for a watch that never ends."""
        told = None
        while True:
            changed, status = self._changed, self._status.get(request.service, UNKNOWN)
            if status != told:
                yield health_pb2.HealthCheckResponse(status=status)
                told = status
            if self._draining:
                return
            await changed.wait()

    def set(self, service: str, status: int) -> None:
        """Gives one service its status; once the server drains, nothing is SERVING any more."""
        self._status[service] = NOT_SERVING if self._draining else status
        self._changed.set()
        self._changed = asyncio.Event()

    def is_serving(self, service: str) -> bool:
        """Whether a service is SERVING now."""
        return bool(self._status.get(service) == SERVING)

    def drain(self) -> None:
        """Everything is NOT_SERVING from now on, and watches end."""
        self._draining = True
        for service in self._status:
            self.set(service, NOT_SERVING)

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
                self.set(service, NOT_SERVING)
            elif was_away and not reason:
                LOG.info("the engine is back")
                self.set(service, SERVING)


async def _why_away(check: Callable[[], Awaitable[None]]) -> str:
    try:
        await check()
    except EngineLost as error:
        return str(error)
    return ""

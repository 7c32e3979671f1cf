"""Whether a Triton server has the models of this bundle: asked before the first request, and anew once it was lost.

A circuit breaker: while the server is known, requests pass; once it was lost, they wait a little for a comparison;
where that fails they are refused at once, and one task goes on comparing until the server is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.triton.agreement import require_agreement
from phonoscope_serving.engines.triton.errors import domain_error, is_missing_model, lost
from phonoscope_serving.errors import BundleError, EngineLost

LOG = logging.getLogger("phonoscope.engine")

POLL_S = 0.05
RETURN_POLL_S = 0.25  # between two comparisons with a server that is away


class Comparison:
    """What is known of one server; one comparison is made for everybody who waits for it."""

    def __init__(self, bundle: Bundle, address: str, observe: Callable[[bool], object] = lambda _: None) -> None:
        """Compares nothing yet.

        Args:
            bundle: which the server is to have.
            address: of the server, for messages.
            observe: told when requests begin to pass, and when they begin to be refused.
        """
        self._bundle, self._address, self._observe = bundle, address, observe
        self._is_known = False  # the server has this bundle
        self._task: asyncio.Task[None] | None = None  # a comparison that requests wait for
        self._returning: asyncio.Task[None] | None = None  # waits for the server, while requests are refused
        self._away = ""  # why they are

    async def begin(self, client: InferenceServerClient, patience_s: float) -> None:
        """Compares for the first time; see `compare`."""
        await self.compare(client, patience_s)
        self._close()

    async def require(self, client: InferenceServerClient, patience_s: float, deadline: float | None) -> None:
        """Returns at once while the server is known; after it was lost, waits a little for it and compares anew.

        Args:
            client: of the server.
            patience_s: how long to wait at most.
            deadline: of the request that waits, on the event loop's clock.

        Raises:
            EngineLost: the server does not answer, or has another bundle.
        """
        if self._is_known:
            return
        if self._away:
            raise EngineLost(self._away)
        task = self._task = self._task or self._begin_anew(client, patience_s)
        if deadline is not None:  # half of what is left: the caller is to hear UNAVAILABLE, not its own deadline
            patience_s = min(patience_s, (deadline - asyncio.get_running_loop().time()) / 2)
        await asyncio.wait({task}, timeout=max(0.0, patience_s))
        if not self._is_known:
            raise EngineLost(self._away) if self._away else lost(self._address, "does not answer")

    async def look(self, client: InferenceServerClient, patience_s: float) -> None:
        """Compares although the server is known; a server that is away is left to who waits for it.

        Raises:
            EngineLost: see `require`.
        """
        if not self._away:
            await self._compare_anew(client, patience_s)
        if self._away:
            raise EngineLost(self._away)

    async def compare(self, client: InferenceServerClient, patience_s: float) -> None:
        """Waits for the server to be ready, and compares every model it has with the bundle's.

        Raises:
            BundleError: a model is missing or another.
            EngineLost: the server was not ready in time.
            RequestError: see `domain_error`.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + patience_s
        while not await _is_ready(client, give_up - loop.time()):
            if loop.time() >= give_up:
                raise lost(self._address, f"was not ready within {patience_s:g} s")
            await asyncio.sleep(POLL_S)
        for name, config in self._bundle.models.items():
            try:
                answer = await client.get_model_config(name, client_timeout=patience_s)
            except InferenceServerException as error:
                if is_missing_model(error):
                    raise BundleError(f"the Triton server at {self._address} has no model {name}") from error
                raise domain_error(error, name, self._address) from error
            require_agreement(config, answer.config, self._address)

    def forget(self) -> None:
        """The next request compares anew before it is sent: what comes back may be another bundle."""
        self._is_known = False

    async def close(self) -> None:
        """Ends whatever compares."""
        tasks = [task for task in (self._task, self._returning) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._is_known = False

    def _begin_anew(self, client: InferenceServerClient, patience_s: float) -> asyncio.Task[None]:
        def end(_: asyncio.Task[None]) -> None:
            self._task = None

        task = asyncio.create_task(self._compare_anew(client, patience_s), name="comparing the Triton server anew")
        task.add_done_callback(end)
        return task

    async def _compare_anew(self, client: InferenceServerClient, patience_s: float) -> None:
        try:
            await self.compare(client, patience_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server is not known to have this bundle
            self._open(client, patience_s, str(error))
        else:
            self._close()

    def _open(self, client: InferenceServerClient, patience_s: float, reason: str) -> None:
        """Refuses requests from now on, until the server is back."""
        if not self._away:
            LOG.warning("the Triton server is away: requests are refused at once", extra={"reason": reason})
            self._returning = asyncio.create_task(self._wait_for_return(client, patience_s))
            self._observe(False)
        self._is_known, self._away = False, reason

    def _close(self) -> None:
        """Lets requests pass from now on."""
        if self._away:
            LOG.info("the Triton server is back")
        self._is_known, self._away = True, ""
        self._observe(True)

    async def _wait_for_return(self, client: InferenceServerClient, patience_s: float) -> None:
        while self._away:
            await asyncio.sleep(RETURN_POLL_S)
            await self._compare_anew(client, patience_s)


async def _is_ready(client: InferenceServerClient, timeout_s: float) -> bool:
    try:
        return bool(await client.is_server_ready(client_timeout=max(POLL_S, timeout_s)))
    except InferenceServerException:
        return False

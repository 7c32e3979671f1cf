"""Whether a Triton server has the models of this bundle: asked before the first request, and anew once it was lost."""

from __future__ import annotations

import asyncio

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.triton.agreement import require_agreement
from phonoscope_serving.engines.triton.errors import domain_error, is_missing_model, lost
from phonoscope_serving.errors import BundleError, EngineLost

POLL_S = 0.05


class Comparison:
    """What is known of one server; one comparison is made for everybody who waits for it."""

    def __init__(self, bundle: Bundle, address: str) -> None:
        """Compares nothing yet."""
        self._bundle, self._address = bundle, address
        self._task: asyncio.Task[None] | None = None  # done: the server is known to have this bundle

    def begin(self, client: InferenceServerClient, patience_s: float) -> asyncio.Task[None]:
        """Begins to compare, see `compare`; what fails is forgotten, so that the next request tries again."""
        task = asyncio.create_task(self.compare(client, patience_s), name="comparing the Triton server with the bundle")

        def forget(done: asyncio.Task[None]) -> None:
            failed = done.cancelled() or done.exception() is not None
            if failed and self._task is done:
                self._task = None

        task.add_done_callback(forget)
        self._task = task
        return task

    async def require(self, client: InferenceServerClient, patience_s: float, deadline: float | None) -> None:
        """Returns at once while the server is known; after it was lost, waits a little for it and compares anew.

        Args:
            client: of the server.
            patience_s: how long to wait at most.
            deadline: of the request that waits, on the event loop's clock.

        Raises:
            EngineLost: the server does not answer, or has another bundle.
            RequestError: see `domain_error`.
        """
        comparison = self._task or self.begin(client, patience_s)
        if deadline is not None:  # half of what is left: the caller is to hear UNAVAILABLE, not its own deadline
            patience_s = min(patience_s, (deadline - asyncio.get_running_loop().time()) / 2)
        if not comparison.done():
            await asyncio.wait({comparison}, timeout=max(0.0, patience_s))
        if not comparison.done() or comparison.cancelled():
            raise lost(self._address, "does not answer")
        if isinstance(error := comparison.exception(), BundleError):
            raise EngineLost(str(error)) from error
        comparison.result()

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
        self._task = None

    def cancel(self) -> None:
        """Ends a comparison that is being made, and forgets it."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


async def _is_ready(client: InferenceServerClient, timeout_s: float) -> bool:
    try:
        return bool(await client.is_server_ready(client_timeout=max(POLL_S, timeout_s)))
    except InferenceServerException:
        return False

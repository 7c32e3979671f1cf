"""A real NVIDIA Triton server as the engine, over gRPC.

The server loads the repository this service has read, and it alone batches and runs. Here requests are sent to it, not
too many at a time (`calls.py`), with their deadlines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from phonoscope_serving import tracing
from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import NOBODYS, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.engines.ensemble import is_ensemble, plan
from phonoscope_serving.engines.golden import proofs
from phonoscope_serving.engines.signature import Signature
from phonoscope_serving.engines.triton.calls import CallLimits, Calls
from phonoscope_serving.engines.triton.comparison import Comparison
from phonoscope_serving.engines.triton.errors import LEAST_RETRY_S, domain_error, is_missing_region
from phonoscope_serving.engines.triton.message import Message
from phonoscope_serving.engines.triton.shared_memory import Region, Regions, is_here
from phonoscope_serving.errors import DeadlinePassed, EngineLost, OptionsError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors

LOG = logging.getLogger("phonoscope.engine")

CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that is back is found within a quarter of a second; one that does not even refuse, given up after one.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.min_reconnect_backoff_ms", 1000),
)
PROOF_S = 120.0  # for one golden vector
SILENT_S = 10.0  # a server that is away for so long is not waited for by anybody

UseSharedMemory = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class TritonOptions:
    """Where the server is, and how much is asked of it."""

    address: str  # HOST:PORT of its gRPC
    queue_rows: int = 512  # of one model, not yet answered
    sent_rows: int = 64  # of those, at the server, where they cannot be taken back any more
    start_s: float = 60.0  # for the server to be ready when the service starts
    return_s: float = 2.0  # a request waits this long for a server that was lost
    shared_memory: UseSharedMemory = "auto"  # for large tensors; auto: where the server is on this machine and takes it


class TritonEngine:
    """Has a bundle's graphs and ensembles run by a Triton server; an `Engine`."""

    def __init__(self, bundle: Bundle, options: TritonOptions, metrics: Metrics) -> None:
        """Connects to nothing yet; see `start`."""
        self._bundle, self._options, self._metrics = bundle, options, metrics
        self._takes = {name: Signature.of(config) for name, config in bundle.models.items()}
        self._client: InferenceServerClient | None = None
        self._comparison = Comparison(bundle, options.address, self._note)
        self._patience: asyncio.TimerHandle | None = None  # with calls that were sent, while the server is away
        self._regions: Regions | None = None  # where shared memory is used
        self._calls = Calls(CallLimits(options.queue_rows, options.sent_rows), self._retry_after_s, metrics)
        self._seconds_per_call = 0.0  # recent average
        self._busy = BusyTime()

    @property
    def device(self) -> str:
        """Where graphs are run."""
        return f"triton at {self._options.address}"

    @property
    def precision(self) -> Precision:
        """See `Engine.precision`: what the server is told of graphs says nothing else."""
        return "float32"

    @property
    def running_s(self) -> float:
        """See `Engine.running_s`: nothing runs here."""
        return 0.0

    async def start(self) -> None:
        """See `Engine.start`."""
        self._client = InferenceServerClient(self._options.address, channel_args=CHANNEL_OPTIONS)
        try:
            await self._comparison.begin(self._client, self._options.start_s)
            await self._share_memory(self._client)
            for proof in proofs(self._bundle):
                deadline = asyncio.get_running_loop().time() + PROOF_S
                proof.check(await self.infer(proof.ensemble, proof.inputs, deadline=deadline))
        except BaseException:  # cancelled, too: nobody else would close the channel and what watches it
            await self.close()
            raise

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Collection[str] | None = None,
        deadline: float | None = None,
        continues: bool = False,
        work: Work = NOBODYS,
    ) -> dict[str, Array]:
        """See `Engine.infer`."""
        if self._client is None or model not in self._takes:
            raise EngineLost(f"the engine is not running {model}")
        signature = self._takes[model]
        signature.check(inputs)
        wanted = signature.wanted(outputs)
        rows = next(iter(inputs.values())).shape[0] if signature.max_rows else 1

        async def send() -> dict[str, Array]:
            began = self._busy.begin()
            try:
                return await self._send(model, inputs, wanted, deadline)
            finally:
                work.charge(self._busy.end(began))

        return await self._calls.run(model, rows, send, deadline=deadline, continues=continues, work=work)

    def is_ready(self, model: str) -> bool:
        """See `Engine.is_ready`."""
        return model in self._bundle.models

    async def check(self) -> None:
        """See `Engine.check`: notices a server whose models were swapped although no request failed."""
        if self._client is None:
            raise EngineLost("the engine is not running")
        await self._comparison.look(self._client, self._options.return_s)

    async def close(self) -> None:
        """See `Engine.close`."""
        client, self._client = self._client, None
        if self._patience is not None:
            self._patience.cancel()
        await self._comparison.close()
        await self._calls.close()
        if self._regions is not None:
            await self._regions.close()
        if client is not None:
            await client.close()

    async def _share_memory(self, client: InferenceServerClient) -> None:
        wanted = self._options.shared_memory
        if wanted == "off" or (wanted == "auto" and not is_here(self._options.address)):
            return
        self._regions = regions = Regions(client)
        reason = await regions.why_not()
        if reason and wanted == "on":
            raise OptionsError(f"triton shared memory: cannot be used with {self._options.address}: {reason}")
        if reason:
            self._regions = None
            await regions.close()
        LOG.info("shared memory", extra={"used": not reason, "reason": reason})

    def _note(self, is_available: bool) -> None:
        """Shows whether requests pass; a server that is silent for long does not answer what it was sent, either."""
        self._metrics.engine_available.set(is_available)
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not is_available:
            self._patience = asyncio.get_running_loop().call_later(SILENT_S, self._calls.end_waits)

    def _retry_after_s(self) -> float:
        return max(LEAST_RETRY_S, self._seconds_per_call)

    async def _send(
        self, model: str, inputs: Tensors, wanted: tuple[str, ...], deadline: float | None
    ) -> dict[str, Array]:
        loop, client = asyncio.get_running_loop(), self._client
        if client is None:
            raise EngineLost("the engine has stopped")
        await self._comparison.require(client, self._options.return_s, deadline)
        began_s = loop.time()
        left_s = None if deadline is None else deadline - began_s
        if left_s is not None and left_s <= 0:
            raise DeadlinePassed(f"the deadline passed before {model} was called")
        try:
            outputs = await self._exchange(client, model, inputs, wanted, left_s)
        except InferenceServerException as error:
            mapped = domain_error(error, model, self._options.address, self._retry_after_s())
            if isinstance(mapped, EngineLost):
                self._comparison.forget()
            raise mapped from error
        self._learn(model, loop.time() - began_s)
        return outputs

    async def _exchange(
        self,
        client: InferenceServerClient,
        model: str,
        inputs: Tensors,
        wanted: tuple[str, ...],
        left_s: float | None,
    ) -> dict[str, Array]:
        """One call, through shared memory if a region is free."""
        config, asked = self._bundle.models[model], wanted
        if is_ensemble(config) and wanted != self._takes[model].outputs:
            asked = plan(config, self._bundle.models).asked_of_triton(wanted)
        # Keeps the request from being run if it is still queued then; a timeout of the client would take the call back.
        queue_us = None if left_s is None else max(1, int(left_s * 1e6))

        async def ask(region: Region | None) -> dict[str, Array]:
            message = Message.of(config, inputs, asked, region)
            with tracing.span(f"call Triton for {model}", "client"):
                answer = await client.infer(
                    model, message.inputs, outputs=message.outputs, timeout=queue_us, headers=tracing.headers() or None
                )
            read = message.read(answer)
            return {name: read[name] for name in wanted}

        if self._regions is None:
            return await ask(None)
        try:
            async with self._regions.borrow() as region:
                return await ask(region)
        except InferenceServerException as error:
            if not is_missing_region(error):
                raise
        return await ask(None)  # the server was restarted, and knows no region of before

    def _learn(self, model: str, seconds: float) -> None:
        self._metrics.engine_seconds.labels(model).observe(seconds)
        self._seconds_per_call += 0.2 * (seconds - self._seconds_per_call) if self._seconds_per_call else seconds

"""W3C Trace Context, as it arrives at a Triton server."""

import asyncio

import grpc
import pytest
from phonoscope_serving import tracing
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.metrics import Metrics
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

pytest.importorskip("opentelemetry", reason="pip install 'phonoscope[tracing]'")
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Listener(grpc.GenericRpcHandler):
    """Stands where a Triton server would, which does not tell what headers it was sent; refuses, and remembers them."""

    def __init__(self):
        self.headers = []

    def service(self, details):
        self.headers.append(dict(details.invocation_metadata))


async def ask(bundle, inputs, within):
    """The headers of one call that the engine sends."""
    listener, server = Listener(), grpc.aio.server()
    server.add_generic_rpc_handlers([listener])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    engine = TritonEngine(bundle, TritonOptions(address), Metrics())
    client = InferenceServerClient(address)
    try:
        with pytest.raises(InferenceServerException), within:
            await asyncio.wait_for(engine._exchange(client, "frontend", inputs, ("log_mel",), None), 60)
    finally:
        await client.close()
        await engine.close()
        await server.stop(None)
    return listener.headers[0]


@pytest.fixture
def inputs(bundle):
    return {
        name.split(".")[2]: array for name, array in bundle.golden().items() if name.startswith("predict.input.samples")
    }


async def test_a_callers_context_is_passed_on(bundle, inputs):
    headers = await ask(bundle, inputs, tracing.span("call", "server", {"traceparent": CALLER}))
    assert headers["traceparent"].split("-")[1] == CALLER.split("-")[1]


async def test_where_there_is_none_nothing_is_sent(bundle, inputs):
    assert "traceparent" not in await ask(bundle, inputs, tracing.span("call", "server", {}))

"""Large tensors through shared memory: the same numbers as over gRPC, and nothing left behind."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.engines.triton.shared_memory import is_here
from phonoscope_serving.errors import EngineLost
from phonoscope_serving.metrics import Metrics
from support.corpora.sound import music, pcm
from support.same_numbers import assert_same_numbers
from support.triton.inputs import KINDS, UNBATCHED, explain_inputs, inputs_of
from support.triton.service import service_on
from triton_server.server import CLIENT_S
from tritonclient.utils import InferenceServerException

pytestmark = pytest.mark.triton
WAIT_S = 600.0


def registered(server):
    """Names of the regions the server has."""
    with server.client() as client:
        return set(client.get_system_shared_memory_status(client_timeout=CLIENT_S).regions)


def segments(names):
    return [name for name in names if Path("/dev/shm", name).exists()]


async def started(bundle, server, shared_memory):
    engine = TritonEngine(bundle, TritonOptions(server.address, shared_memory=shared_memory), Metrics())
    await engine.start()
    return engine


async def channel_found(engine):
    """Waits until an engine's own channel reaches the server again, with calls that the engine does not notice."""
    async with asyncio.timeout(WAIT_S):
        while True:
            with suppress(InferenceServerException):
                if await engine._client.is_server_ready():
                    return
            await asyncio.sleep(0.05)


@pytest.fixture
async def sharing(own_server, bundle):
    await asyncio.to_thread(own_server.start)
    engine = await started(bundle, own_server, "on")
    yield engine
    await engine.close()


@pytest.mark.parametrize("rows", [1, 3, 64])
@pytest.mark.parametrize("model", KINDS)
async def test_numbers_are_the_same_with_and_without(engine, unshared, bundle, embedded, model, rows):
    most = 1 if model in UNBATCHED else bundle.models[model].max_batch_size
    inputs = inputs_of(model, min(rows, most), embedded.run)
    assert_same_numbers(await engine.infer(model, inputs), await unshared.infer(model, inputs))


async def test_concurrent_calls_do_not_mix_and_regions_are_few_and_used_again(own_server, sharing, embedded):
    row = [{name: tensor[i : i + 1] for name, tensor in explain_inputs(8).items()} for i in range(8)]
    expected = [embedded.run("explain_masker", inputs) for inputs in row]
    for _ in range(2):
        answers = await asyncio.gather(*(sharing.infer("explain_masker", row[i % 8]) for i in range(24)))
        for i, answer in enumerate(answers):
            kept = {name: expected[i % 8][name] for name in ("mask", "log_mel")}
            assert_same_numbers({name: answer[name] for name in kept}, kept)
    assert 1 < len(registered(own_server)) <= 8


async def test_calls_given_up_spoil_no_other_and_keep_no_region(own_server, sharing, bundle, embedded):
    inputs = explain_inputs()
    expected = embedded.run("explain_masker", inputs)
    for _ in range(5):
        calls = [
            asyncio.create_task(sharing.infer("explain_masker", explain_inputs(2), continues=True)) for _ in range(8)
        ]
        await asyncio.sleep(0.02)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        answer = await sharing.infer("explain_masker", inputs)
        np.testing.assert_allclose(answer["log_mel"], expected["log_mel"], atol=1e-5)
    assert len(registered(own_server)) <= 8
    await sharing.close()
    assert registered(own_server) == set()


async def test_a_restart_that_no_call_noticed_is_survived(own_server, sharing):
    inputs = explain_inputs()
    before, old = await sharing.infer("explain_masker", inputs), registered(own_server)
    await asyncio.to_thread(own_server.kill)
    await asyncio.to_thread(own_server.start)
    await channel_found(sharing)
    for _ in range(3):
        assert_same_numbers(await sharing.infer("explain_masker", inputs), before)
    new = registered(own_server)
    assert new
    assert not new & old
    assert segments(old) == []
    await sharing.close()
    assert segments(new) == []
    assert registered(own_server) == set()


async def test_a_lost_server_leaves_no_segment(own_server, sharing):
    names = registered(own_server)
    assert segments(names) == sorted(names)
    await asyncio.to_thread(own_server.kill)
    with pytest.raises(EngineLost):
        await sharing.infer("explain_masker", explain_inputs())
    await sharing.close()
    assert segments(names) == []


@pytest.mark.e2e
def test_a_service_told_to_stop_amid_calls_leaves_no_segment(own_server, tmp_path):
    own_server.start()
    request = ExplainRequest(audio=pcm(music(3)), at_s=1.5)
    with service_on(own_server.address, tmp_path) as (service, _):
        calls = [service.Explain.future(request, timeout=WAIT_S) for _ in range(16)]
        calls[0].result()
        names = registered(own_server)
        assert segments(names)
        for call in calls[8:]:
            call.cancel()
    assert segments(names) == []
    give_up = time.monotonic() + WAIT_S
    while registered(own_server):
        assert time.monotonic() < give_up
        time.sleep(0.05)


async def test_without_a_server_on_this_machine_nothing_is_shared(server, bundle):
    for address, here in (("127.0.0.1:1", True), ("[::1]:1", True), ("localhost:1", True), ("10.0.0.1:1", False)):
        assert is_here(address) is here
    assert not is_here("triton.example:8001")
    with pytest.raises(EngineLost):
        await TritonEngine(bundle, TritonOptions("127.0.0.1:9", start_s=0.2, shared_memory="on"), Metrics()).start()

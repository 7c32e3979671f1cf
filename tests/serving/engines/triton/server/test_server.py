"""The repository on the server: what loads, and what is run together."""

import asyncio
from pathlib import Path

import pytest
from support.bundles.repository import REPOSITORY
from support.triton.inputs import MODELS, explain_inputs
from triton_server.server import CLIENT_S

pytestmark = pytest.mark.triton


WAIT_S = 600.0
ROUNDS = 100  # whether calls meet is the machine's affair: they come together again until they have


async def settled(read):
    """What a count has come to: the server counts a little after it answers."""
    count = None
    async with asyncio.timeout(WAIT_S):
        while count != (count := read()):
            await asyncio.sleep(0.5)
    return count


def test_every_config_loads_as_it_is_without_auto_completion(server):
    with server.client() as client:
        index = client.get_model_repository_index(client_timeout=CLIENT_S)
    assert {model.name: model.state for model in index.models} == dict.fromkeys(MODELS, "READY")


def test_the_copy_the_server_loads_differs_in_the_backend_alone(server):
    for config in REPOSITORY.glob("*/config.pbtxt"):
        ours = config.read_text().splitlines()
        theirs = (server.repository / config.relative_to(REPOSITORY)).read_text().splitlines()
        changed = set(ours) ^ set(theirs)
        assert changed <= {'backend: "onnxruntime"', 'backend: "python"', 'default_model_filename: "model.onnx"'}
    for graph in REPOSITORY.glob("*/*/model.onnx"):
        assert Path(server.repository / graph.relative_to(REPOSITORY)).read_bytes() == graph.read_bytes()


async def test_inverters_of_layers_that_are_not_wanted_are_not_run(server, engine):
    def runs():
        with server.client() as client:
            models = client.get_inference_statistics(client_timeout=CLIENT_S).model_stats
        return {model.name: model.execution_count for model in models}

    before = await settled(runs)
    for _ in range(8):
        await engine.infer("invert_layers", {"samples": explain_inputs()["samples"]}, outputs=["inverted_conv5"])
    ran = {name for name, count in (await settled(runs)).items() if count - before[name] > 4}
    assert ran - {"invert_layers"} == {"frontend", "detector", "inverter_conv5"}


async def test_requests_of_concurrent_callers_are_run_together(server, engine):
    def detector():
        with server.client() as client:
            (model,) = client.get_inference_statistics("detector", client_timeout=CLIENT_S).model_stats
        return model.inference_count, model.execution_count

    for _ in range(ROUNDS):
        rows_before, runs_before = await settled(detector)
        await asyncio.gather(*(engine.infer("explain_masker", explain_inputs()) for _ in range(16)))
        rows, runs = await settled(detector)
        assert rows - rows_before == 16 * 6  # the excerpt, the region, what is left, three controls
        if runs - runs_before < rows - rows_before:
            break
    assert runs - runs_before < rows - rows_before

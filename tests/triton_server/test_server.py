"""The repository on the server: what loads, and what is run together."""

import asyncio
from pathlib import Path

import pytest
from support.serving_repository import REPOSITORY
from support.triton_inputs import MODELS, explain_inputs
from support.triton_server import CLIENT_S

pytestmark = pytest.mark.triton


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


async def test_requests_of_concurrent_callers_are_run_together(server, engine):
    def detector():
        with server.client() as client:
            (model,) = client.get_inference_statistics("detector", client_timeout=CLIENT_S).model_stats
        return model.inference_count, model.execution_count

    rows_before, runs_before = detector()
    await asyncio.gather(*(engine.infer("explain", explain_inputs()) for _ in range(16)))
    rows, runs = detector()
    assert rows - rows_before == 16 * 4  # the excerpt, the region, what is left, the control
    assert runs - runs_before < rows - rows_before

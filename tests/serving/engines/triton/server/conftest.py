"""A real Triton server and engines on it, for as long as the tests of this folder run: it takes gigabytes."""

from pathlib import Path

import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.metrics import Metrics
from support.bundles.repository import REPOSITORY
from triton_server import setup as triton_setup
from triton_server.server import TritonServer, stand_in_copy


@pytest.fixture(scope="package")
def can_run():
    """Skips where there is no real server to speak to."""
    if reason := triton_setup.reason_against():
        pytest.skip(reason)
    if not triton_setup.is_set_up():
        pytest.skip("the real Triton server is not set up: make triton does it")


@pytest.fixture(scope="package")
def bundle():
    return load_bundle(Path(REPOSITORY))


@pytest.fixture(scope="package")
def server(can_run, tmp_path_factory):
    """One server for all tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("triton")
    server = TritonServer(stand_in_copy(REPOSITORY, folder / "repository"), folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
    assert server.leftovers() == []


@pytest.fixture
def own_server(can_run, tmp_path):
    """A server not started yet, to be killed, restarted or given another repository."""
    server = TritonServer(stand_in_copy(REPOSITORY, tmp_path / "triton"), tmp_path)
    try:
        yield server
    finally:
        server.stop()
    assert server.leftovers() == []


@pytest.fixture(scope="package")
async def engine(server, bundle):
    """One engine for all tests that only ask."""
    engine = TritonEngine(bundle, TritonOptions(server.address), Metrics())
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture(scope="package")
async def unshared(server, bundle):
    """The same without shared memory."""
    engine = TritonEngine(bundle, TritonOptions(server.address, shared_memory="off"), Metrics())
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture(scope="package")
def embedded(bundle):
    """The embedded engine without its queues."""
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), Metrics())
    engine.load()
    return engine

"""The bundle, engines and a service on it, for as long as the tests of this folder run: they take gigabytes."""

import asyncio
from pathlib import Path

import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from support.bundles.repository import REPOSITORY
from support.bundles.tagging import bundle_that_tags
from support.services.running import running


class Clock:
    """The event loop's clock; hours pass on it when a test says so, and nobody waits for them."""

    def __init__(self, time):
        self._time, self._skipped_s = time, 0.0

    def time(self):
        return self._time() + self._skipped_s

    def skip(self, seconds):
        self._skipped_s += seconds


@pytest.fixture
async def clock(monkeypatch):
    loop = asyncio.get_running_loop()
    clock = Clock(loop.time)
    monkeypatch.setattr(loop, "time", clock.time)
    return clock


@pytest.fixture(scope="package")
def bundle():
    return load_bundle(Path(REPOSITORY))


@pytest.fixture(scope="package")
def tagging_root(tmp_path_factory):
    """A bundle of two listeners."""
    return bundle_that_tags(tmp_path_factory.mktemp("tagging"))


@pytest.fixture(scope="package")
def bare(bundle):
    """The engine without its queues: what a model computes, now, in this thread."""
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), Metrics())
    engine.load()
    return engine


@pytest.fixture(scope="package")
async def engine(bundle):
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), Metrics())
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture(scope="package")
def service(bundle):
    with running(bundle, device="cpu", threads=1) as service:
        yield service

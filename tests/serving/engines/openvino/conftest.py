"""The engine on OpenVINO, where that is installed."""

import pytest
from phonoscope_serving.metrics import Metrics


def pytest_pycollect_makemodule():
    """Skips as tests are collected: while this file is loaded, a skip ends pytest where the folder is named to it."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: it comes with phonoscope[serving-openvino]")


@pytest.fixture(scope="package")
def on_openvino(bundle):
    """The engine in float32, without its queues."""
    from phonoscope_serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions  # noqa: PLC0415 - an extra

    engine = OpenVinoEngine(bundle, OpenVinoOptions(threads=1), Metrics())
    engine.load()
    return engine

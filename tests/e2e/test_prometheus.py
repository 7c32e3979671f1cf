"""What operators see: a real Prometheus scrapes a real service."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from phonoscope_client import Client, demo
from support.system_programs import program

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def asked(service) -> str:
    """The metrics address of a service that has explained, predicted and inverted."""
    with Client(service.address, timeout_s=600) as client:
        client.explain(demo.SONG, demo.AT_S)
        client.predict(demo.SONG)
        client.invert_layers(demo.SONG, demo.AT_S)
    return service.metrics_address


@pytest.fixture(scope="module")
def prometheus(asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    config = {
        "global": {"scrape_interval": "5s", "scrape_timeout": "5s"},
        "scrape_configs": [{"job_name": "phonoscope", "static_configs": [{"targets": [asked]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program("prometheus", "prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        yield address
        process.terminate()


def ask(prometheus: str, expression: str, within_s: float = 600) -> list[dict]:
    """The samples of an expression, as soon as there are any."""
    url = f"http://{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                if samples := json.load(answer)["data"]["result"]:
                    return samples
        except OSError:
            pass  # it is still starting
        time.sleep(0.2)
    raise AssertionError(f"Prometheus has no sample of {expression}")


def test_prometheus_scrapes_the_service(prometheus):
    assert ask(prometheus, 'up{job="phonoscope"} == 1')


def test_requests_are_counted_by_method_and_code(prometheus):
    (sample,) = ask(prometheus, 'grpc_server_handled_total{grpc_method="Explain",grpc_code="OK"} >= 1')
    assert sample["metric"]["grpc_service"] == "phonoscope.v1.ExplainerService"
    assert sample["metric"]["grpc_type"] == "unary"


def test_latency_quantiles_can_be_drawn(prometheus):
    quantile = 'histogram_quantile(0.99, sum by (le) (grpc_server_handling_seconds_bucket{grpc_method="Explain"}))'
    assert float(ask(prometheus, quantile)[0]["value"][1]) > 0


@pytest.mark.parametrize(
    "series",
    [
        "phonoscope_batch_rows_count",
        "phonoscope_queue_rows",
        "phonoscope_explanations_total",
        "phonoscope_relative_area_count",
        'phonoscope_reconstruction_error_count{rule="masker"}',
        "phonoscope_removal_flips_total",
        "phonoscope_explanations_out_of_distribution_total",
        "phonoscope_heard_explanations_total",
        'phonoscope_inversion_error_count{layer="fc8"}',
        'phonoscope_inversions_out_of_distribution_total{layer="conv1"}',
    ],
)
def test_batches_queue_and_quality_are_there(prometheus, series):
    assert ask(prometheus, series)


def test_the_names_keep_prometheus_own_conventions(asked):
    with urllib.request.urlopen(f"http://{asked}/metrics", timeout=60) as page:
        exposition = page.read()
    command = [program("promtool", "prometheus"), "check", "metrics"]
    done = subprocess.run(command, input=exposition, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

"""What operators see: a real Prometheus scrapes a real service."""

from __future__ import annotations

import subprocess
import urllib.request

import pytest
from phonoscope_client import Client, demo
from support.services.prometheus import prometheus as running_prometheus
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
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), {"phonoscope": asked}) as running:
        yield running


def test_prometheus_scrapes_the_service(prometheus):
    assert prometheus.ask('up{job="phonoscope"} == 1')


def test_requests_are_counted_by_method_and_code(prometheus):
    (sample,) = prometheus.ask('grpc_server_handled_total{grpc_method="Explain",grpc_code="OK"} >= 1')
    assert sample["metric"]["grpc_service"] == "phonoscope.v1.ExplainerService"
    assert sample["metric"]["grpc_type"] == "unary"


def test_latency_quantiles_can_be_drawn(prometheus):
    quantile = 'histogram_quantile(0.99, sum by (le) (grpc_server_handling_seconds_bucket{grpc_method="Explain"}))'
    assert float(prometheus.ask(quantile)[0]["value"][1]) > 0


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
        "phonoscope_baseline_reconstruction_error",
        "phonoscope_decode_seconds_count > 0",
        'phonoscope_graph_seconds_count{graph="detector"} > 0',
        'phonoscope_build_info{version!="",onnxruntime!="",grpc!=""}',
        "process_resident_memory_bytes > 0",
        'phonoscope_baseline_inversion_error{layer="conv1"}',
        'phonoscope_inversion_error_count{layer="fc8"}',
        'phonoscope_inversions_out_of_distribution_total{layer="conv1"}',
    ],
)
def test_batches_queue_and_quality_are_there(prometheus, series):
    assert prometheus.ask(series)


def test_the_names_keep_prometheus_own_conventions(asked):
    with urllib.request.urlopen(f"http://{asked}/metrics", timeout=60) as page:
        exposition = page.read()
    command = [program("promtool", "prometheus"), "check", "metrics"]
    done = subprocess.run(command, input=exposition, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()

"""One trace from a program that uses the client through service, queue and engine, and into log and metrics."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from phonoscope_client import running_service
from support.services.prometheus import prometheus
from support.services.running import HANG_S, wait_until
from support.system_programs import program

collecting = pytest.importorskip("support.services.collector", reason="pip install 'phonoscope[tracing]'")

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
METHOD = "phonoscope.v1.ExplainerService/Explain"
PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from phonoscope_client import Client, PhonoscopeError, demo
provider = TracerProvider(resource=Resource.create({"service.name": "tagger"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(sys.argv[1])))
trace.set_tracer_provider(provider)
with Client(sys.argv[2], timeout_s=600) as client, trace.get_tracer("tagger").start_as_current_span("tag a song"):
    client.explain(demo.SONG, demo.AT_S)
    try:
        client.explain(demo.SONG, 1e6)
    except PhonoscopeError:
        pass
provider.shutdown()
"""


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """The spans of a program that explains twice, the second time in vain; the service's log; and its exemplars."""
    folder = tmp_path_factory.mktemp("traced")
    program("prometheus", "prometheus")
    with collecting.collector() as collector:
        arguments = ["--model-repository", str(ROOT / "model_repository"), "--traces", collector.url]
        with running_service(arguments, log_path=folder / "service.log") as service:
            command = [sys.executable, "-c", PROGRAM, collector.url, service.address]
            subprocess.run(command, check=True, timeout=HANG_S)
            with prometheus(folder, {"phonoscope": service.metrics_address}, interval_s=1) as running:
                running.ask("grpc_server_handling_seconds_bucket")
                wait_until(lambda: running.exemplars("grpc_server_handling_seconds_bucket"))
                exemplars = running.exemplars("grpc_server_handling_seconds_bucket")
    log = [json.loads(line) for line in (folder / "service.log").read_text().splitlines()]
    return collector.spans, [line for line in log if line["message"] == "call"], exemplars


def test_every_span_lies_within_the_one_that_caused_it(traced):
    spans = {span.span_id: (service, span) for service, span in traced[0]}
    assert len({span.trace_id for _, span in spans.values()}) == 1

    def path(span):
        above = spans.get(span.parent_span_id)
        return [*(path(above[1]) if above else []), span.name]

    paths = [path(span) for _, span in spans.values()]
    call = ["tag a song", METHOD, METHOD]
    assert call in paths
    assert [*call, "read"] in paths
    infer = [*call, "infer explain_masker"]
    assert [*infer, "wait for explain_masker"] in paths
    assert [*infer, "run explain_masker"] in paths
    assert {service for service, span in spans.values() if span.name == METHOD} == {"tagger", "phonoscope"}


def test_waiting_ends_where_running_begins(traced):
    by_name = {span.name: span for _, span in traced[0]}
    waited, ran = by_name["wait for explain_masker"], by_name["run explain_masker"]
    assert waited.start_time_unix_nano <= waited.end_time_unix_nano == ran.start_time_unix_nano
    assert ran.start_time_unix_nano < ran.end_time_unix_nano


def test_a_call_that_failed_says_how(traced):
    served = [span for service, span in traced[0] if service == "phonoscope" and span.name == METHOD]
    codes = [
        {a.key: a.value.int_value for a in span.attributes}["rpc.grpc.status_code"]
        for span in sorted(served, key=lambda span: span.start_time_unix_nano)
    ]
    assert codes == [0, 11]  # OUT_OF_RANGE


def test_lines_of_the_log_name_the_trace_and_the_services_own_span(traced):
    spans, log, _ = traced
    served = {span.span_id.hex() for service, span in spans if service == "phonoscope" and span.name == METHOD}
    assert {line["span_id"] for line in log} == served
    assert {line["trace_id"] for line in log} == {span.trace_id.hex() for _, span in spans}


def test_exemplars_lead_from_a_slow_call_to_its_trace(traced):
    spans, _, exemplars = traced
    assert {each["labels"]["trace_id"] for each in exemplars} == {span.trace_id.hex() for _, span in spans}


def test_without_a_trace_there_is_no_exemplar(service):
    asked = urllib.request.Request(
        f"http://{service.metrics_address}/metrics", headers={"Accept": "application/openmetrics-text"}
    )
    with urllib.request.urlopen(asked, timeout=60) as page:
        assert "trace_id" not in page.read().decode()

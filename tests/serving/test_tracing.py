"""Client and service where OpenTelemetry is not installed, and where it is but nobody records."""

import subprocess
import sys

import pytest
from phonoscope_serving import tracing

WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from phonoscope_client.transport.tracing import call_span
from phonoscope_serving import tracing
with tracing.span("a", "server", {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}):
    tracing.tell(rpc__method="Explain")
    tracing.past("b", tracing.now(), 1, 2)
    assert tracing.headers() == {}
    assert tracing.ids() is None
with call_span("Explain") as metadata:
    assert metadata == []
"""


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_client_and_service_do_without_opentelemetry():
    done = run(WITHOUT)
    assert done.returncode == 0, done.stderr


def test_a_collector_without_opentelemetry_is_a_wrong_option():
    done = run(
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from phonoscope_serving.cli import main; sys.exit(main(['--traces', 'http://127.0.0.1:4317']))"
    )
    assert done.returncode == 1
    assert "pip install 'phonoscope[tracing]'" in done.stderr


def test_a_context_is_passed_on_although_nobody_records():
    pytest.importorskip("opentelemetry", reason="pip install 'phonoscope[tracing]'")
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with tracing.span("call", "server", {"traceparent": caller}), tracing.span("within"):
        assert tracing.ids() == tuple(caller.split("-")[1:3])
        assert tracing.headers() == {"traceparent": caller}
    assert tracing.ids() is None

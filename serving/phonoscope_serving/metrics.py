"""What the service counts, in its own Prometheus registry; every label comes from a closed set."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
ENGINE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
DECODE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_ROWS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)


class Metrics:
    """One process's metrics; a registry of its own, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        call = ["grpc_type", "grpc_service", "grpc_method"]
        self.calls_started = Counter("grpc_server_started_total", "Calls received.", call, registry=self.registry)
        self.calls_handled = Counter(
            "grpc_server_handled_total", "Calls answered.", [*call, "grpc_code"], registry=self.registry
        )
        self.call_seconds = Histogram(
            "grpc_server_handling_seconds",
            "From receiving a call to answering it.",
            call,
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self.bundle_info = Info("phonoscope_bundle", "The bundle that is served.", registry=self.registry)
        self.bundle_swaps = Counter(
            "phonoscope_bundle_swaps_total",
            "New bundles that took the place of another while calls were answered (done), or could not (refused).",
            ["outcome"],
            registry=self.registry,
        )
        self.bundle_refused = Gauge(
            "phonoscope_bundle_refused",
            "1 while the bundle that is offered was refused, and the one before it goes on.",
            registry=self.registry,
        )
        self.bundles_loaded = Gauge(
            "phonoscope_bundles_loaded",
            "More than one while calls are still answered by one that was replaced.",
            registry=self.registry,
        )
        self.log_lines_dropped = Gauge(
            "phonoscope_log_lines_dropped", "Lines that could not be written, so far.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)
        Info("phonoscope_build", "What is running.", registry=self.registry).info(_build())
        self.decode_seconds = Histogram(
            "phonoscope_decode_seconds",
            "Reading from one recording, or one piece of a long one; pauses for others included.",
            buckets=DECODE_SECONDS,
            registry=self.registry,
        )
        self._measure_engine()
        self._measure_admission()
        self.remembered = Counter(
            "phonoscope_remembered_total",
            "Excerpts and rows that requests of a kind needed: computed a short while ago (hit), computed for another "
            "request at that moment (shared), or computed for this one (miss).",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.remembered_bytes = Gauge(
            "phonoscope_remembered_bytes", "Of what was computed, and is kept for a while.", registry=self.registry
        )

    def _measure_engine(self) -> None:
        self.batch_rows = Histogram(
            "phonoscope_batch_rows",
            "Rows run together.",
            ["model"],
            buckets=BATCH_ROWS,
            registry=self.registry,
        )
        self.queue_rows = Gauge(
            "phonoscope_queue_rows",
            "Rows waiting; of a Triton server, rows not yet answered.",
            ["model"],
            registry=self.registry,
        )
        self.graph_seconds = Histogram(
            "phonoscope_graph_seconds",
            "Running one graph of a batch in this process; a Triton server measures its own.",
            ["graph"],
            buckets=ENGINE_SECONDS,
            registry=self.registry,
        )
        self.engine_seconds = Histogram(
            "phonoscope_engine_seconds",
            "Running one batch; of a Triton server, one call.",
            ["model"],
            buckets=ENGINE_SECONDS,
            registry=self.registry,
        )
        self.serving = Gauge(
            "phonoscope_serving",
            "1 while health says SERVING: the engine is there, and computes what it should.",
            registry=self.registry,
        )
        self.graph_fallbacks = Gauge(
            "phonoscope_graph_fallbacks",
            "1 for each graph that is run in float32 although less was asked for: its golden vectors did not hold.",
            ["graph"],
            registry=self.registry,
        )
        self.graphs_loaded = Gauge(
            "phonoscope_graphs_loaded",
            "1 for each graph that is loaded in this process; 2 while it is for two bundles.",
            ["graph"],
            registry=self.registry,
        )
        self.models_refused = Gauge(
            "phonoscope_models_refused",
            "1 for each model that failed its proof when it was first asked, and is not used.",
            ["model"],
            registry=self.registry,
        )
        self.engine_available = Gauge(
            "phonoscope_engine_available",
            "1 while the models can be run; 0 while their Triton server is away and requests are refused at once.",
            registry=self.registry,
        )
        self.engine_available.set(1)

    def _measure_admission(self) -> None:
        self.work_calls = Gauge(
            "phonoscope_work_calls", "Requests that were taken on.", ["kind"], registry=self.registry
        )
        self.work_waiting = Gauge(
            "phonoscope_work_waiting",
            "Of these, requests of which the engine has run nothing yet.",
            ["kind"],
            registry=self.registry,
        )
        self.work_seconds = Gauge(
            "phonoscope_work_seconds",
            "Engine seconds that requests which were taken on are still expected to cost.",
            ["kind"],
            registry=self.registry,
        )
        self.cost_seconds = Histogram(
            "phonoscope_cost_seconds",
            "Engine seconds that a request which was answered has cost.",
            ["kind"],
            buckets=CALL_SECONDS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "phonoscope_refusals_total",
            "Requests there was no room for: too much of their kind was there (budget), they would have been done too "
            "late (late), or would be even if they were alone (deadline), too many were sending theirs (receiving), "
            "there was no memory (memory), or too many rows waited for a model (queue).",
            ["kind", "reason"],
            registry=self.registry,
        )


def _build() -> dict[str, str]:
    """Versions of what answers: this package, and those whose numbers and calls it stands on."""
    return {
        "version": _version("phonoscope"),
        "python": platform.python_version(),
        "onnxruntime": _version("onnxruntime") or _version("onnxruntime-gpu"),
        "openvino": _version("openvino"),
        "grpc": _version("grpcio"),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a source tree on the path, or the other build of ONNX Runtime
        return ""

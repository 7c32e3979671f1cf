"""What the service counts, in its own Prometheus registry; every label comes from a closed set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
ENGINE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
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
        self._measure_engine()

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
        self.engine_seconds = Histogram(
            "phonoscope_engine_seconds",
            "Running one batch; of a Triton server, one call.",
            ["model"],
            buckets=ENGINE_SECONDS,
            registry=self.registry,
        )

"""An OTLP collector of spans, as small as one can be: a real gRPC server that keeps what it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Its URL, and the spans it was sent: pairs of a service's name and a span."""

    def __init__(self):
        self.url, self.spans = "", []

    def Export(self, request, context):  # noqa: N802 - the name of the RPC
        for sent in request.resource_spans:
            service = next(a.value.string_value for a in sent.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in sent.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def collector():
    """Starts one on a free port."""
    running, server = Collector(), grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(running, server)
    running.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield running
    finally:
        server.stop(None).wait()

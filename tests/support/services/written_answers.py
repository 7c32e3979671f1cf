"""A real gRPC server on a local port whose answers a test writes, for conditions the real service cannot be put in."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NoReturn

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_status import rpc_status
from phonoscope.v1 import explainer_service_pb2_grpc

Answer = Callable[[Message, grpc.ServicerContext], Message]


class _Servicer(explainer_service_pb2_grpc.ExplainerServiceServicer):
    def __init__(self, answer: Answer) -> None:
        self.Predict = self.Explain = self.InvertLayers = self.DescribeBundle = answer
        self.Auralise = self.Maximise = answer


@contextmanager
def serving(answer: Answer, port: int = 0) -> Iterator[str]:
    """Its address; every RPC is answered by `answer`. A port of 0 is chosen by the system."""
    limits = [("grpc.max_receive_message_length", 66 * 2**20), ("grpc.max_send_message_length", 66 * 2**20)]
    server = grpc.server(ThreadPoolExecutor(4), options=limits)
    explainer_service_pb2_grpc.add_ExplainerServiceServicer_to_server(_Servicer(answer), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def abort(context: grpc.ServicerContext, code: grpc.StatusCode, message: str, *details: Message) -> NoReturn:
    """End a call with a status and google.rpc details."""
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    status = status_pb2.Status(code=code.value[0], message=message, details=packed)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status always raises")

"""What gRPC costs by itself: a service of `grpc.aio` that answers every Explain with the same bytes, in a process."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from phonoscope.v1 import explanation_pb2

METHOD = "Explain"
SERVICE = "phonoscope.v1.ExplainerService"


@contextmanager
def echo(answer: explanation_pb2.ExplainResponse, folder: Path) -> Iterator[str]:
    """The address of such a service.

    Args:
        answer: what it answers.
        folder: where that is handed over.
    """
    path = folder / "answer.bin"
    path.write_bytes(answer.SerializeToString())
    command = [sys.executable, __file__, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def serve(answer: bytes) -> None:
    """Answers until it is ended; requests are read as the real service reads them, and answers written likewise."""
    message = explanation_pb2.ExplainResponse.FromString(answer)

    async def explain(request: Any, context: Any) -> explanation_pb2.ExplainResponse:  # noqa: ANN401, ARG001 - grpc
        return message

    handler = grpc.unary_unary_rpc_method_handler(
        explain, explanation_pb2.ExplainRequest.FromString, explanation_pb2.ExplainResponse.SerializeToString
    )
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answer", type=Path, help="file that holds the answer")
    asyncio.run(serve(parser.parse_args().answer.read_bytes()))

"""The port that Prometheus reads: one request a connection, and no connection lasts long.

What `prometheus_client` starts by itself has a thread for each connection, for as long as its other end likes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app

from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.listening.addresses import host_and_port

MOST_CONNECTIONS = 32  # at once; the oldest ends for one more
MOST_REQUEST_BYTES = 16 << 10
REQUEST_S, ANSWER_S = 5.0, 30.0  # to arrive, and to be taken
END_OF_HEAD = b"\r\n\r\n"
ENDINGS = (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class MetricsPort:
    """Answers GET with the metrics of one registry."""

    def __init__(self, registry: CollectorRegistry, request_s: float = REQUEST_S) -> None:
        """Listens nowhere yet.

        Args:
            registry: whose metrics are told.
            request_s: a request may take to arrive.
        """
        self._answer: Any = make_wsgi_app(registry)
        self._request_s = request_s
        self._open: dict[asyncio.Task[Any], None] = {}  # connections, the oldest first
        self._server: asyncio.Server | None = None

    async def start(self, address: str) -> str:
        """Listens, and says where: at a port of 0, the system chooses one.

        Args:
            address: HOST:PORT.

        Raises:
            OptionsError: it cannot.
        """
        try:
            host, port = host_and_port(address)
            self._server = await asyncio.start_server(self._serve, host, port, limit=MOST_REQUEST_BYTES)
        except (OSError, ValueError) as error:
            raise OptionsError(f"metrics address: cannot listen on {address}: {error}") from error
        return f"{address.rpartition(':')[0]}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Ends every connection and listens no more."""
        if self._server is not None:
            self._server.close()
        for connection in self._open:
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST_CONNECTIONS:
            next(iter(self._open)).cancel()
        connection = asyncio.current_task()
        assert connection is not None
        self._open[connection] = None
        writer.transport.set_write_buffer_limits(0)  # what was drained was sent
        try:
            with suppress(*ENDINGS):
                async with asyncio.timeout(self._request_s):
                    head = await reader.readuntil(END_OF_HEAD)
                async with asyncio.timeout(ANSWER_S):
                    writer.write(await asyncio.to_thread(self._response, head))
                    await writer.drain()
        finally:
            del self._open[connection]
            writer.close()

    def _response(self, head: bytes) -> bytes:
        """What a request is answered, in HTTP/1.1.

        Raises:
            ValueError: it is no request.
        """
        request, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = request.split(" ")
        path, _, query = target.partition("?")
        environment = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        for line in lines:
            name, _, value = line.partition(":")
            environment[f"HTTP_{name.upper().replace('-', '_')}"] = value.strip()
        told: list[str] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            told.extend((f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)))

        body = b"".join(self._answer(environment, start))
        told.extend((f"Content-Length: {len(body)}", "Connection: close", "", ""))
        return "\r\n".join(told).encode("latin-1") + body

"""Which service answers a command, and who hears of its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from phonoscope_client.client import Client
from phonoscope_client.transport.channel import Tls
from phonoscope_client.transport.service import running_service

Note = Callable[[str], None]


@dataclass(frozen=True)
class Connection:
    """Which service answers a command.

    Attributes:
        server: `host:port`; None starts one for the command.
        timeout_s: seconds an answer may take.
        root_certificates: PEM file of the authorities to trust, which turns on TLS; None for no encryption.
        token: bearer token, where the service asks for one.
    """

    server: str | None = None
    timeout_s: float = 120.0
    root_certificates: Path | None = None
    token: str | None = None

    @contextmanager
    def open(self, note: Note) -> Iterator[Client]:
        """A client of that service, for a `with` block."""
        if self.server is None:
            with running_service(note=note) as service, Client(service.address, timeout_s=self.timeout_s) as client:
                yield client
            return
        tls = None if self.root_certificates is None else Tls(self.root_certificates.read_bytes())
        with Client(self.server, timeout_s=self.timeout_s, tls=tls, token=self.token) as client:
            yield client

"""Which service answers a command, and who hears of its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope_client.client import Client
from phonoscope_client.errors import invalid
from phonoscope_client.transport.channel import Tls, is_loopback
from phonoscope_client.transport.service import running_service

Note = Callable[[str], None]
OwnService = Callable[[Note], AbstractContextManager[str]]
_IN_THE_CLEAR = "phonoscope: warning: the token is sent in the clear, for all on the way to read; encrypt with --ca"


@dataclass(frozen=True)
class Connection:
    """Which service answers a command.

    Attributes:
        server: `host:port`, or several, as `Client` takes them; None starts one for the command.
        timeout_s: seconds an answer may take.
        root_certificates: PEM file of the authorities to trust, which turns on TLS, as a certificate does.
        certificate: PEM file of this caller's own certificates, where the service asks for one.
        key: PEM file of the key to them.
        token: bearer token, where the service asks for one.
    """

    server: str | None = None
    timeout_s: float = 120.0
    root_certificates: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token: str | None = None

    @contextmanager
    def open(self, note: Note) -> Iterator[Client]:
        """A client of that service, for a `with` block."""
        with self.where(note) as reached, Client(**reached) as client:
            yield client

    @contextmanager
    def where(self, note: Note, own: OwnService | None = None) -> Iterator[dict[str, Any]]:
        """What a client of that service is made with, its `address` first, for a `with` block.

        Args:
            note: told how starting a service goes.
            own: starts one where none is named, and gives its address; None for one that lives as long as it lives.
        """
        if self.server is None:
            with (own or _own_service)(note) as address:
                yield {"address": address, "timeout_s": self.timeout_s}
            return
        tls = self._tls()
        if self.token and tls is None and not is_loopback(self.server):
            print(_IN_THE_CLEAR, file=sys.stderr)  # however quiet it is to be
        yield {"address": self.server, "timeout_s": self.timeout_s, "tls": tls, "token": self.token}

    def _tls(self) -> Tls | None:
        """How to encrypt; None where nothing says so."""
        if (self.certificate is None) != (self.key is None):
            raise invalid("--certificate", "it is of use together with --key alone; give both")
        files = (self.root_certificates, self.key, self.certificate)
        if files == (None, None, None):
            return None
        return Tls(*(None if file is None else file.read_bytes() for file in files))


@contextmanager
def _own_service(note: Note) -> Iterator[str]:
    with running_service(note=note) as service:
        yield service.address

"""Who may connect and who may call."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from phonoscope_serving.errors import OptionsError
from phonoscope_serving.service.listening.certificate import require_in_force
from phonoscope_serving.service.reloading import Reloaded

HEALTH_PREFIX = "/grpc.health.v1.Health/"  # probes carry no tokens, and are too many to log


class Tokens:
    """The bearer tokens that open the service; without any it is open."""

    def __init__(self, accepted: Callable[[], Sequence[bytes]]) -> None:
        """Asks for the tokens anew at every call.

        Args:
            accepted: the `authorization` headers that are accepted now; none opens the service to all.
        """
        self._accepted = accepted

    def admit(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> bool:
        """Whether a call with this metadata is answered."""
        return not self._accepted() or bool(self.holder(metadata))

    def holder(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
        """A name for who holds the token a call shows, which does not tell the token; empty where none is accepted."""
        given = [str(value).encode() for name, value in metadata or () if name == "authorization"]
        if len(given) != 1:  # of two, this service and whatever stands before it might each believe another
            return ""
        # Every token is compared, in constant time, so that the time taken tells nothing.
        found = [number for number, each in enumerate(self._accepted(), 1) if hmac.compare_digest(given[0], each)]
        return f"token {found[0]}" if found else ""


@dataclass(frozen=True)
class Security:
    """Who may connect and call; all files are PEM."""

    certificate: Path | None = None  # with `private_key`: TLS
    private_key: Path | None = None
    client_authority: Path | None = None  # callers must show a certificate it signed: mutual TLS
    token_file: Path | None = None  # one accepted bearer token a line

    def credentials(self) -> grpc.ServerCredentials | None:
        """The server's credentials; None for plain text.

        Raises:
            OptionsError: only one of certificate and key is given, a file cannot be read, or the certificate is not in
                force.
        """
        if self.certificate is None or self.private_key is None:
            if self.certificate or self.private_key or self.client_authority:
                raise OptionsError("tls: certificate and private key are both needed")
            return None
        key, certificate, authority = self.private_key, self.certificate, self.client_authority

        def read() -> grpc.ServerCertificateConfiguration:
            pair = (_read(key), _read(certificate))
            require_in_force(certificate, key)
            return grpc.ssl_server_certificate_configuration([pair], _read(authority) if authority else None)

        files = [file for file in (key, certificate, authority) if file]
        # Asked at every handshake; connections that stand are not asked again.
        return grpc.dynamic_ssl_server_credentials(read(), Reloaded(files, read).now, authority is not None)

    def tokens(self) -> Tokens:
        """What callers must show; the file is read again when it changes.

        Raises:
            OptionsError: the file cannot be read, or holds no token.
        """
        if self.token_file is None:
            return Tokens(tuple)
        file = self.token_file

        def read() -> Sequence[bytes]:
            accepted = _read(file).decode(errors="replace").split()
            if not accepted:
                raise OptionsError(f"token file: {file} holds no token")
            return [f"Bearer {token}".encode() for token in accepted]

        return Tokens(Reloaded((file,), read).now)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address, HOST:PORT."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or address.startswith("unix:")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionsError(f"{path} cannot be read: {error.strerror}") from error

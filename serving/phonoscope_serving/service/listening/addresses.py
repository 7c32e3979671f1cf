"""Addresses as they are written on a command line."""

from __future__ import annotations

MOST_PORT = 65535


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of HOST:PORT, without the brackets of IPv6.

    Args:
        address: `127.0.0.1:50051`, `[::1]:0`, `music.example.com:443`.

    Raises:
        ValueError: it is none; says what is wrong in words.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal()):
        raise ValueError(f"{address!r} is not HOST:PORT")
    if int(port) > MOST_PORT:
        raise ValueError(f"{address!r} has port {port}; it must be 0 to {MOST_PORT}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_path(address: str) -> bool:
    """Whether it is a socket in the file system, as gRPC writes it: `unix:/run/phonoscope.sock`."""
    return address.startswith("unix:")

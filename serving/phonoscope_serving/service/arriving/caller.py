"""Who calls, as far as turns are concerned: who shares a name shares a caller's share."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import unquote

from phonoscope_serving.service.security import Tokens

NETWORK_BITS = 64  # of an IPv6 address: the rest, one machine can choose as it likes


def caller(context: Any, tokens: Tokens) -> str:  # noqa: ANN401 - grpc ships no types
    """The token's holder, else the one a client certificate names, else the machine.

    Args:
        context: of the call.
        tokens: those that are accepted.
    """
    if holder := tokens.holder(context.invocation_metadata()):
        return holder
    if identities := context.peer_identities():
        return " ".join(identity.decode(errors="replace") for identity in identities)
    return machine(context.peer())


def machine(peer: str) -> str:
    """The machine at the other end of a connection, by its address without the port; its network where that is IPv6.

    Args:
        peer: as gRPC writes it: `ipv4:10.0.0.1:5000`, `ipv6:[::1]:5000`, `unix:`.
    """
    host = unquote(peer).rpartition(":")[0]
    kind, _, address = host.partition(":")
    if kind != "ipv6":
        return host or peer
    try:
        network = ipaddress.ip_network((address.strip("[]").partition("%")[0], NETWORK_BITS), strict=False)
    except ValueError:
        return host
    return f"ipv6:{network.network_address}"

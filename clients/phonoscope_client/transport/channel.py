"""The channel to a service: how large its messages may be, which replica is asked, and whether it is encrypted."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass

import grpc

from phonoscope_client import arguments
from phonoscope_client.errors import invalid
from phonoscope_client.transport.audio import MAX_BYTES

# What the sound may weigh, and room for the rest of a message.
MAX_MESSAGE_BYTES = MAX_BYTES + 2**20

# All replicas that an address stands for take turns. retries.py says what is tried again: gRPC sees one call at a time.
_SERVICE_CONFIG: dict[str, list[dict[str, dict[str, str]]]] = {"loadBalancingConfig": [{"round_robin": {}}]}
_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # What a service that drains has not read, gRPC sends elsewhere, if it kept a copy: 256 KiB unless told otherwise.
    ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
    # A service that is started again takes seconds; gRPC would wait for up to two minutes before it knocks again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # New replicas are asked for when one ends a connection, which each does every few minutes.
    ("grpc.dns_min_time_between_resolutions_ms", 5000),
    # A connection whose other end has vanished without a word is noticed; no service minds as few pings.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)

_NO_PROXY = ("grpc.enable_http_proxy", 0)
HEALTH = "/grpc.health.v1.Health/Check"
NOBODY = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


@dataclass(frozen=True)
class Tls:
    """How to encrypt the connection; each field is PEM text.

    Attributes:
        root_certificates: authorities to trust; None for those gRPC ships with.
        private_key: this client's own key, for mutual TLS; None for server authentication alone.
        certificate_chain: this client's own certificates, for mutual TLS.
    """

    root_certificates: bytes | None = None
    private_key: bytes | None = None
    certificate_chain: bytes | None = None


def open_channel(address: str, tls: Tls | None) -> grpc.Channel:
    """A channel to `host:port`, or to several, which connects when it is first used; in the clear where `tls` is None.

    Raises:
        InvalidInputError: an argument is of no use.
    """
    options = _checked(address, tls)
    if tls is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, _credentials(tls), options)


def open_aio_channel(address: str, tls: Tls | None) -> grpc.aio.Channel:
    """The same for asyncio; made where an event loop runs.

    Raises:
        InvalidInputError: an argument is of no use.
    """
    options = _checked(address, tls)
    if tls is None:
        return grpc.aio.insecure_channel(address, options)
    return grpc.aio.secure_channel(address, _credentials(tls), options)


def _checked(address: str, tls: Tls | None) -> tuple[tuple[str, object], ...]:
    """The options of a channel, where its arguments are of use."""
    is_near = is_loopback(arguments.text("address", address, "host:port"))
    if tls is not None and not isinstance(tls, Tls):
        raise invalid("tls", f"{arguments.shown(tls)}; give a phonoscope_client.Tls")
    return (*_OPTIONS, _NO_PROXY) if is_near else _OPTIONS


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate_chain)


def reached(channel: grpc.Channel, timeout_s: float) -> bool:
    """Waits until somebody answers at the other end of a channel; whether anybody does.

    The service is asked for its health, which costs it nothing, needs no token, and which every server answers somehow.
    (A channel's own report of its state comes from a thread that fails where the channel is closed meanwhile.)

    Args:
        channel: begins to connect, if it has not yet.
        timeout_s: seconds to wait at most.
    """
    try:
        channel.unary_unary(HEALTH)(b"", timeout=timeout_s, wait_for_ready=True)
    except grpc.RpcError as error:
        return error.code() not in NOBODY
    except ValueError:  # the channel was closed
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether a target is this machine alone: no proxy leads there, and nobody listens in."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    hosts = re.sub(r"^(dns:(//[^/]*/)?|ipv4:(//)?/?|ipv6:(//)?/?)", "", address)
    return all(_is_loopback_host(host) for host in hosts.split(","))


def _is_loopback_host(host: str) -> bool:
    host = re.sub(r":[0-9]+$", "", host) if host.count(":") == 1 or "]" in host else host
    host = host.strip("[]").lower().rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

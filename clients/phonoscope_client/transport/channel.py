"""The channel to a service: how large its messages may be, what is tried again, and whether it is encrypted."""

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

# UNAVAILABLE alone says that no work was started: trying again cannot do the work twice.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": "phonoscope.v1.ExplainerService"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # gRPC gives up retrying what it cannot keep a copy of, and keeps 256 KiB unless told otherwise.
    ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
)

_NO_PROXY = ("grpc.enable_http_proxy", 0)


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
    """A channel to `host:port`, which connects when it is first used; in the clear where `tls` is None.

    Raises:
        InvalidInputError: an argument is of no use.
    """
    options = (*_OPTIONS, _NO_PROXY) if _is_loopback(arguments.text("address", address, "host:port")) else _OPTIONS
    if tls is None:
        return grpc.insecure_channel(address, options)
    if not isinstance(tls, Tls):
        raise invalid("tls", f"{arguments.shown(tls)}; give a phonoscope_client.Tls")
    credentials = grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate_chain)
    return grpc.secure_channel(address, credentials, options)


def _is_loopback(address: str) -> bool:
    """Whether a target is this machine: no proxy leads there."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = re.sub(r"^(dns:(//[^/]*/)?|ipv4:|ipv6:)", "", address)
    host = re.sub(r":[0-9]+$", "", host) if host.count(":") == 1 or "]" in host else host
    host = host.strip("[]").lower().rstrip(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

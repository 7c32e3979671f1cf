"""The options of `phonoscope-serve`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from phonoscope_serving.bundle.manifest import MANIFEST
from phonoscope_serving.command_types import address, grpc_address, seconds
from phonoscope_serving.engine_options import add_engine_options
from phonoscope_serving.service.server import ServerOptions

WATCHDOG_S = 300.0  # far longer than any batch takes on a slow machine
REPOSITORY_VARIABLE = "PHONOSCOPE_MODEL_REPOSITORY"

EPILOG = """\
examples:
  phonoscope-serve
      the bundle in ./model_repository, on 127.0.0.1:50051, metrics on http://127.0.0.1:9464/metrics
  phonoscope-serve --address 127.0.0.1:0 --metrics-address 127.0.0.1:0 --ready-file ready.json
      on free ports, which are written to ready.json once the service answers
  phonoscope-serve --address '[::]:50051' --tls-certificate cert.pem --tls-key key.pem --token-file tokens
      for other machines: TLS, and only callers that send "authorization: Bearer TOKEN"
  phonoscope-serve --lazy
      graphs are loaded when they are first asked for: with Predict alone, in less than half of the memory
  phonoscope-serve --engine openvino --precision bfloat16
      networks are run by OpenVINO in bfloat16, on a processor that multiplies in it
  phonoscope-serve --engine triton --triton 127.0.0.1:8001
      graphs are run by the NVIDIA Triton server there, which must have loaded the same repository

SIGTERM, SIGINT and SIGHUP drain: health turns NOT_SERVING, no more calls are taken, those in flight are finished. A
second signal stops at once. Exit status: 0 after draining, 1 if the service cannot start, 2 for a wrong option, 70 if
its engine hung.
"""


def default_repository() -> Path:
    """$PHONOSCOPE_MODEL_REPOSITORY, else ./model_repository, else the one beside the source tree."""
    if named := os.environ.get(REPOSITORY_VARIABLE):
        return Path(named)
    here = Path("model_repository")
    beside = Path(__file__).resolve().parents[2] / "model_repository"
    return beside if not (here / MANIFEST).exists() and (beside / MANIFEST).exists() else here


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="phonoscope-serve",
        description="Serves a bundle: predicts where somebody sings in a recording, and explains why.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server_options(parser)
    _add_lifetime_options(parser)
    _add_connection_options(parser)
    add_engine_options(parser)
    _add_security_options(parser)
    return parser


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    server = ServerOptions()
    parser.add_argument(
        "--model-repository",
        type=Path,
        metavar="DIR",
        help=f"folder with {MANIFEST} (default: ${REPOSITORY_VARIABLE}, else ./model_repository)",
    )
    parser.add_argument(
        "--watch", action="store_true", help="serve a new bundle as soon as it is there, without a pause; see the docs"
    )
    parser.add_argument(
        "--address",
        type=grpc_address,
        default=server.address,
        metavar="HOST:PORT",
        help="for gRPC; or unix:PATH (default: %(default)s)",
    )
    parser.add_argument(
        "--metrics-address",
        type=address,
        default=server.metrics_address,
        metavar="HOST:PORT",
        help="for Prometheus (default: %(default)s)",
    )
    parser.add_argument(
        "--health-address",
        type=grpc_address,
        default=server.health_address or None,
        metavar="HOST:PORT",
        help="health alone here too, in plain text: for probes that have no certificate",
    )
    parser.add_argument(
        "--traces", metavar="URL", help="send OpenTelemetry spans to this collector, such as http://127.0.0.1:4317"
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")


def _add_lifetime_options(parser: argparse.ArgumentParser) -> None:
    server, lifetime = ServerOptions(), parser.add_argument_group("start and stop")
    lifetime.add_argument(
        "--ready-file", type=Path, metavar="PATH", help="write the addresses here, as JSON, once the service answers"
    )
    lifetime.add_argument(
        "--drain-s",
        type=seconds,
        default=server.drain_s,
        metavar="S",
        help="seconds for calls in flight when told to stop (default: %(default)g)",
    )
    lifetime.add_argument(
        "--watchdog-s",
        type=seconds,
        default=WATCHDOG_S,
        metavar="S",
        help="the process ends with 70 where a run of the engine goes on for longer (default: %(default)g)",
    )
    lifetime.add_argument(
        "--receive-s",
        type=seconds,
        default=server.receive_s,
        metavar="S",
        help="seconds a request may take to arrive (default: %(default)g)",
    )
    lifetime.add_argument(
        "--stop-with-input", action="store_true", help="stop, too, when standard input ends: with who started it"
    )


def _add_connection_options(parser: argparse.ArgumentParser) -> None:
    server, connections = ServerOptions(), parser.add_argument_group("connections")
    connections.add_argument(
        "--connection-age-s",
        type=seconds,
        default=server.connection_age_s,
        metavar="S",
        help="after which callers connect again, and find new replicas (default: about %(default)g; 0: never)",
    )
    connections.add_argument(
        "--connection-grace-s",
        type=seconds,
        default=server.connection_grace_s,
        metavar="S",
        help="for calls in flight on a connection of that age (default: %(default)g)",
    )
    connections.add_argument(
        "--silent-peer-s",
        type=seconds,
        default=server.silent_peer_s,
        metavar="S",
        help="after which a connection ends whose other end does not even answer a ping (default: %(default)g)",
    )


def _add_security_options(parser: argparse.ArgumentParser) -> None:
    security = parser.add_argument_group("security")
    security.add_argument(
        "--tls-certificate", type=Path, metavar="PEM", help="with --tls-key: speak TLS; read again on change"
    )
    security.add_argument("--tls-key", type=Path, metavar="PEM")
    security.add_argument(
        "--tls-client-authority", type=Path, metavar="PEM", help="callers need a certificate it signed"
    )
    security.add_argument("--token-file", type=Path, metavar="PATH", help="accepted bearer tokens, one a line")
    security.add_argument(
        "--require-signature", type=Path, metavar="KEY", help="serve only a bundle signed with this public key (PEM)"
    )
    security.add_argument("--no-reflection", action="store_true", help="do not tell callers the contract")

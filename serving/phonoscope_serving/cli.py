"""`phonoscope-serve`: the service as a process."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.manifest import MANIFEST
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.errors import ServingError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.logs import log_json
from phonoscope_serving.service.security import Security
from phonoscope_serving.service.server import Server, ServerOptions
from phonoscope_serving.sound.decoding import Decoder

LOG = logging.getLogger("phonoscope.server")
REPOSITORY_VARIABLE = "PHONOSCOPE_MODEL_REPOSITORY"

EPILOG = """\
examples:
  phonoscope-serve
      the bundle in ./model_repository, on 127.0.0.1:50051, metrics on http://127.0.0.1:9464/metrics
  phonoscope-serve --address 127.0.0.1:0 --metrics-address 127.0.0.1:0 --ready-file ready.json
      on free ports, which are written to ready.json once the service answers
  phonoscope-serve --address '[::]:50051' --tls-certificate cert.pem --tls-key key.pem --token-file tokens
      for other machines: TLS, and only callers that send "authorization: Bearer TOKEN"
  phonoscope-serve --engine triton --triton 127.0.0.1:8001
      graphs are run by the NVIDIA Triton server there, which must have loaded the same repository

SIGTERM and SIGINT drain: health turns NOT_SERVING, no more calls are taken, those in flight are finished. A second
signal stops at once. Exit status: 0 after draining, 1 if the service cannot start, 2 for a wrong option.
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
    _add_engine_options(parser)
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
    parser.add_argument("--address", default=server.address, help="HOST:PORT for gRPC (default: %(default)s)")
    parser.add_argument(
        "--metrics-address", default=server.metrics_address, help="HOST:PORT for Prometheus (default: %(default)s)"
    )
    parser.add_argument(
        "--ready-file", type=Path, metavar="PATH", help="write the addresses here, as JSON, once the service answers"
    )
    parser.add_argument(
        "--drain-s",
        type=_seconds,
        default=server.drain_s,
        metavar="S",
        help="seconds for calls in flight when told to stop (default: %(default)g)",
    )
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    onnx, engine = OnnxOptions(), parser.add_argument_group("engine")
    engine.add_argument(
        "--engine",
        choices=("onnx", "triton"),
        default="onnx",
        help="onnx: in this process; triton: on a Triton server with the same repository (default: %(default)s)",
    )
    engine.add_argument("--triton", type=_address, metavar="HOST:PORT", help="with --engine triton: its gRPC address")
    engine.add_argument(
        "--triton-shared-memory",
        choices=("auto", "on", "off"),
        default="auto",
        help="with --engine triton: large tensors not over gRPC; auto: where the server is on this machine",
    )
    engine.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default=onnx.device, help="auto: CUDA where there is a GPU"
    )
    engine.add_argument(
        "--threads",
        type=_at_least(0),
        default=onnx.threads,
        metavar="N",
        help="threads of one operator (0: one a core)",
    )
    engine.add_argument(
        "--batch-rows",
        type=_at_least(0),
        default=onnx.batch_rows,
        metavar="N",
        help="excerpts run together at most (0: what suits the device)",
    )
    engine.add_argument(
        "--queue-rows",
        type=_at_least(1),
        default=onnx.queue_rows,
        metavar="N",
        help="excerpts that may wait; callers beyond are told when to retry (default: %(default)s)",
    )


def _add_security_options(parser: argparse.ArgumentParser) -> None:
    security = parser.add_argument_group("security")
    security.add_argument("--tls-certificate", type=Path, metavar="PEM", help="with --tls-key: speak TLS")
    security.add_argument("--tls-key", type=Path, metavar="PEM")
    security.add_argument(
        "--tls-client-authority", type=Path, metavar="PEM", help="callers need a certificate it signed"
    )
    security.add_argument("--token-file", type=Path, metavar="PATH", help="accepted bearer tokens, one a line")


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; returns the exit status."""
    parser = get_parser()
    options = parser.parse_args(arguments)
    if (options.engine == "triton") != (options.triton is not None):
        parser.error("--engine triton and --triton HOST:PORT go together")
    log_json(options.log_level)
    try:
        return asyncio.run(serve(options))
    except ServingError as error:
        LOG.error(str(error))
        return 1


async def serve(options: argparse.Namespace) -> int:
    """Loads, starts, waits for a signal, drains."""
    stop = _told_to_stop()
    if options.ready_file:
        options.ready_file.unlink(missing_ok=True)  # an earlier run's would be believed
    bundle = load_bundle(options.model_repository or default_repository())
    metrics = Metrics()
    engine = _engine(options, bundle, metrics)
    LOG.info("bundle verified", extra={"bundle": bundle.name, "digest": bundle.digest})
    security = Security(options.tls_certificate, options.tls_key, options.tls_client_authority, options.token_file)
    where = ServerOptions(options.address, options.metrics_address, options.drain_s, security=security)
    threads = options.threads or len(os.sched_getaffinity(0))
    server = Server(engine, bundle, Decoder(threads), metrics, where)
    await server.start()
    addresses = {"address": server.address, "metrics_address": server.metrics_address}
    LOG.info("serving", extra={**addresses, "device": engine.device, "threads": threads})
    if options.ready_file:
        _write_ready(options.ready_file, addresses)
    gc.collect()
    gc.freeze()  # what was loaded stays: looking through it for garbage would hold up calls
    await stop.wait()
    await server.drain()
    return 0


def _engine(options: argparse.Namespace, bundle: Bundle, metrics: Metrics) -> Engine:
    if options.engine == "triton":
        triton = TritonOptions(options.triton, options.queue_rows, shared_memory=options.triton_shared_memory)
        return TritonEngine(bundle, triton, metrics)
    onnx = OnnxOptions(options.device, options.threads, options.batch_rows, options.queue_rows)
    return OnnxEngine(bundle, onnx, metrics)


def _told_to_stop() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second then does what it does by default."""
    stop, loop, signals = asyncio.Event(), asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)

    def on_signal() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    return stop


def _write_ready(path: Path, addresses: dict[str, str]) -> None:
    """Written beside and moved, so that whoever sees the file can read all of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(addresses) + "\n")
    beside.replace(path)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not HOST:PORT")
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds of 0 or more")
    return seconds


def _at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return number

    return whole_number


if __name__ == "__main__":
    sys.exit(main())

"""`phonoscope-serve`: the service as a process."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.command_line import default_repository, get_parser
from phonoscope_serving.cores import cores
from phonoscope_serving.engines.embedded.memory import keep_large_apart
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.golden import unproven
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.engines.remembered import RememberOptions
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.errors import OptionsError, ServingError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.listening import ready_file
from phonoscope_serving.service.logs import PatientHandler, log_json
from phonoscope_serving.service.security import Security
from phonoscope_serving.service.server import Server, ServerOptions
from phonoscope_serving.service.spans import send_spans
from phonoscope_serving.service.swapping.watching import mark, watch
from phonoscope_serving.sound.decoding import Decoder

LOG = logging.getLogger("phonoscope.server")
WATCH_S = 1.0  # between two looks at the engine
LAST_S = 5.0  # for what still runs once calls were given their time to end
GAVE_UP = 70  # exit status, as sysexits.h has it for software that failed


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; returns the exit status."""
    parser = get_parser()
    options = parser.parse_args(arguments)
    if (options.engine == "triton") != (options.triton is not None):
        parser.error("--engine triton and --triton HOST:PORT go together")
    if options.precision != "float32" and options.engine != "openvino":
        parser.error(f"--precision {options.precision} goes with --engine openvino: the others run graphs as they are")
    if options.lazy and options.engine != "onnx":
        parser.error(f"--lazy goes with --engine onnx: {options.engine} has every graph loaded before it answers")
    if options.watch and options.engine == "triton":
        parser.error("--watch goes without --engine triton: start replicas beside a server with the new bundle")
    keep_large_apart()
    log = log_json(options.log_level)
    try:
        return asyncio.run(serve(options, log))
    except ServingError as error:
        LOG.error(str(error))
        return 1


async def serve(options: argparse.Namespace, log: PatientHandler) -> int:
    """Loads, starts, waits for a signal, drains."""
    stop = _told_to_stop(options.stop_with_input)
    if options.ready_file:
        ready_file.clear(options.ready_file)
    stop_spans = send_spans(options.traces) if options.traces else None
    root = options.model_repository or default_repository()
    seen = mark(root)  # before it is read: what comes meanwhile is new
    bundle = load_bundle(root.resolve() if options.watch else root, options.require_signature)
    metrics = Metrics()
    metrics.log_lines_dropped.set_function(lambda: log.dropped)
    engine = _engine(options, bundle, metrics)
    LOG.info("bundle verified", extra={"bundle": bundle.name, "digest": bundle.digest, "unproven": unproven(bundle)})
    threads = options.threads or cores()
    server = Server(engine, bundle, Decoder(threads, metrics.decode_seconds.observe), metrics, _server_options(options))
    await server.start()
    addresses = {"address": server.address, "metrics_address": server.metrics_address}
    if server.health_address:
        addresses["health_address"] = server.health_address
    LOG.info("serving", extra={**addresses, "device": engine.device, "threads": threads})
    if options.ready_file:
        ready_file.write(options.ready_file, addresses)
    gc.collect()
    gc.freeze()  # what was loaded stays: looking through it for garbage would hold up calls
    beside = [asyncio.create_task(_watch(server, options.watchdog_s))]
    if options.watch:

        async def take(folder: Path) -> bool:
            new = await asyncio.to_thread(load_bundle, folder, options.require_signature)
            if new.digest == server.bundle.digest:
                return False
            nonlocal engine
            following = _engine(options, new, metrics, engine)
            await server.swap(following, new)
            engine = following
            return True

        beside.append(asyncio.create_task(watch(root, seen, take, metrics)))
    await stop.wait()
    for task in beside:
        task.cancel()
    try:
        await asyncio.wait_for(server.drain(), options.drain_s + LAST_S)
    except TimeoutError:
        _give_up(f"what runs has not ended {LAST_S:g} s after everything was to end")
    if stop_spans:
        stop_spans()
    return 0


def _server_options(options: argparse.Namespace) -> ServerOptions:
    security = Security(options.tls_certificate, options.tls_key, options.tls_client_authority, options.token_file)
    return ServerOptions(
        options.address,
        options.metrics_address,
        options.health_address or "",
        reflection=not options.no_reflection,
        drain_s=options.drain_s,
        receive_s=options.receive_s,
        budget_s=options.budget_s,
        connection_age_s=options.connection_age_s,
        connection_grace_s=options.connection_grace_s,
        silent_peer_s=options.silent_peer_s,
        remember=RememberOptions(options.remember_s, options.remember_mb << 20),
        security=security,
    )


async def _watch(server: Server, watchdog_s: float) -> None:
    """Ends the process where its engine hangs: nothing else frees a thread that does not return."""
    while server.running_s < watchdog_s:
        await asyncio.sleep(WATCH_S)
    _give_up(f"what the engine runs has not ended for {watchdog_s:g} s")


def _give_up(reason: str) -> NoReturn:
    """Ends without waiting for any thread."""
    LOG.critical("gave up", extra={"reason": reason})
    logging.shutdown()
    os._exit(GAVE_UP)


def _engine(options: argparse.Namespace, bundle: Bundle, metrics: Metrics, before: Engine | None = None) -> Engine:
    """What runs a bundle; where models are loaded on first use, it begins with those that `before` has in use."""
    if options.engine == "triton":
        triton = TritonOptions(options.triton, options.queue_rows, shared_memory=options.triton_shared_memory)
        return TritonEngine(bundle, triton, metrics)
    if options.engine == "openvino":
        return _openvino_engine(options, bundle, metrics)
    onnx = OnnxOptions(options.device, options.threads, options.batch_rows, options.queue_rows)
    in_use = before.in_use if isinstance(before, OnnxEngine) else ()
    return OnnxEngine(bundle, onnx, metrics, sorted(bundle.models.keys() & in_use) if options.lazy else None)


def _openvino_engine(options: argparse.Namespace, bundle: Bundle, metrics: Metrics) -> Engine:
    try:
        from phonoscope_serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise OptionsError(f"--engine openvino: install phonoscope[serving-openvino] ({error})") from error
    if options.device == "cuda":
        raise OptionsError("--engine openvino runs on the CPU: leave --device cuda away, or use --engine onnx")
    chosen = OpenVinoOptions(options.precision, options.threads, options.batch_rows, options.queue_rows)
    return OpenVinoEngine(bundle, chosen, metrics)


def _told_to_stop(stop_with_input: bool) -> asyncio.Event:
    """Set by the first SIGTERM, SIGINT or SIGHUP; the second then ends the process, whatever its threads do.

    Args:
        stop_with_input: set, too, where standard input ends, as a pipe does whose other end has died in whatever way.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def on_signal() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)  # Python's own answer to SIGINT waits for threads

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    if stop_with_input:

        def on_input() -> None:
            if not os.read(sys.stdin.fileno(), 4096):
                loop.remove_reader(sys.stdin)
                stop.set()

        try:
            loop.add_reader(sys.stdin, on_input)
        except OSError as error:  # a file has no end that one could wait for
            raise OptionsError(f"--stop-with-input: standard input is no pipe and no terminal: {error}") from error
    return stop


if __name__ == "__main__":
    sys.exit(main())

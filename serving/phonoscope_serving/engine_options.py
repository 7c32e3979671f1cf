"""The options of `phonoscope-serve` about its engine: which runs graphs, how much it takes on, what it remembers."""

from __future__ import annotations

import argparse
import os

from phonoscope_serving.bundle.precision import PRECISIONS
from phonoscope_serving.command_types import address, at_least, between, seconds
from phonoscope_serving.engines.onnx.engine import OnnxOptions
from phonoscope_serving.service.server import ServerOptions

MOST_THREADS = 4 * (os.cpu_count() or 1)  # every graph has as many, and more than there are cores only wait


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """The group `engine`."""
    engine = parser.add_argument_group("engine")
    _add_choice(engine)
    _add_work(engine)
    _add_memory(engine)


def _add_choice(engine: argparse._ArgumentGroup) -> None:
    """Which engine, and where it runs."""
    onnx = OnnxOptions()
    engine.add_argument(
        "--engine",
        choices=("onnx", "openvino", "triton"),
        default="onnx",
        help="onnx: in this process; openvino: in this process on a processor with AVX-512 or AMX, extra "
        "serving-openvino; triton: on a Triton server with the same repository (default: %(default)s)",
    )
    engine.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="with --engine openvino: of networks; front-ends, regions and ascents are always float32, and so is a "
        "network that the bundle's golden vectors refuse in less (default: %(default)s)",
    )
    engine.add_argument("--triton", type=address, metavar="HOST:PORT", help="with --engine triton: its gRPC address")
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
        "--lazy",
        action="store_true",
        help="with --engine onnx: load and prove graphs when they are first asked for, which that call waits for; for "
        "those who ask one RPC only (default: all, at the start)",
    )
    engine.add_argument(
        "--threads",
        type=between(0, MOST_THREADS),
        default=onnx.threads,
        metavar="N",
        help="threads of one operator (0: one a core)",
    )


def _add_work(engine: argparse._ArgumentGroup) -> None:
    """How much is taken on."""
    onnx = OnnxOptions()
    engine.add_argument(
        "--batch-rows",
        type=at_least(0),
        default=onnx.batch_rows,
        metavar="N",
        help="excerpts run together at most (0: what suits the device)",
    )
    engine.add_argument(
        "--budget-s",
        type=seconds,
        default=ServerOptions().budget_s,
        metavar="S",
        help="engine seconds of each kind of work that are taken on (default: %(default)g)",
    )
    engine.add_argument(
        "--queue-rows",
        type=at_least(1),
        default=onnx.queue_rows,
        metavar="N",
        help="excerpts that may wait; callers beyond are told when to retry (default: %(default)s)",
    )


def _add_memory(engine: argparse._ArgumentGroup) -> None:
    """What is computed once for several callers."""
    remember = ServerOptions().remember
    engine.add_argument(
        "--remember-s",
        type=seconds,
        default=remember.seconds,
        metavar="S",
        help="what was computed answers whoever asks the same of the same sound so many seconds later "
        "(default: %(default)g: nothing is kept)",
    )
    engine.add_argument(
        "--remember-mb",
        type=between(1, 1 << 16),
        default=remember.most_bytes >> 20,
        metavar="MB",
        help="with --remember-s: kept at most (default: %(default)s)",
    )

"""How fast explanations are served, by either engine, and how even the waiting is.

    engines         for the embedded engine and for a Triton server: latency and throughput of Explain over gRPC with
                    1, 4 and 16 callers who each ask again as soon as they are answered
    p99_over_p50    embedded engine, calls arriving evenly at 70 % of its best throughput above, whether or not earlier
                    ones were answered: the 99th percentile of latency over the median, in the median of some rounds

Under `open_loop` is also the ratio for calls that arrive at random (Poisson). There, most of the tail is the calls' own
crowding: one server that takes exactly equal time for each call has a ratio of about 4.6 at 70 % load (M/D/1 queue).

Service, Triton server and callers share this machine. Where the onnxruntime backend of a stock Triton server is not at
hand, the real server runs the same repository on the tests' Python stand-in, and the figures say so; it adds a copy of
every tensor and one hop to another process for each graph. `make bench-serve` runs this.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import Request, call_at, call_for, circumstances, one_excerpt, percentiles, service, write
from triton_server import setup as triton_setup
from triton_server.server import TritonServer, stand_in_copy

CLIENTS = (1, 4, 16)
LOAD = 0.7  # of the best throughput
ROUNDS = 5
WARM_S = 1.0
STAND_IN = f"tritonserver of {triton_setup.REQUIREMENTS[0]}; Python stand-in for the onnxruntime backend"


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument(
        "--closed-s", type=float, default=10.0, help="seconds a number of callers (default: %(default)s)"
    )
    parser.add_argument(
        "--round-s", type=float, default=6.0, help="seconds of each kind of arrival, a round (default: %(default)s)"
    )
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    _, request = one_excerpt(bundle)
    with service(options.model_repository) as address:
        embedded = measure_closed("embedded", address, request, options.closed_s)
        best_per_s = max(figures["throughput_per_s"] for figures in embedded.values())
        open_loop = measure_open(address, request, LOAD * best_per_s, options.round_s)
    engines: dict[str, Any] = {"embedded": {"clients": embedded}}
    if reason := triton_setup.reason_against():
        print(f"Only the embedded engine is measured: {reason}", file=sys.stderr)
    else:
        engines["triton"] = {
            "server": STAND_IN,
            "clients": on_triton(options.model_repository, request, options.closed_s),
        }
    ratio = open_loop["even"]["p99_over_p50"]
    figures = {"engines": engines, "p99_over_p50": ratio, "open_loop": open_loop, **circumstances(bundle)}
    write(figures, options.json)
    print(f"At {LOAD:.0%} load the 99th percentile is {ratio:.2f} times the median. Figures: {options.json}")


def on_triton(model_repository: Path, request: Request, closed_s: float) -> dict[str, Any]:
    """The closed loop with a Triton server as the engine."""
    with tempfile.TemporaryDirectory() as folder:
        server = TritonServer(stand_in_copy(model_repository, Path(folder, "repository")), Path(folder))
        try:
            server.start()
            with service(model_repository, "--engine", "triton", "--triton", server.address) as address:
                return measure_closed("triton", address, request, closed_s)
        finally:
            server.stop()


def measure_closed(engine: str, address: str, request: Request, for_s: float) -> dict[str, Any]:
    """Latency and throughput by number of callers."""
    figures: dict[str, Any] = {}
    for clients in CLIENTS:
        asyncio.run(call_for(address, request, clients, WARM_S))
        seconds = asyncio.run(call_for(address, request, clients, for_s))
        figures[str(clients)] = {"latency_ms": percentiles(seconds), "throughput_per_s": len(seconds) / for_s}
        shown = ", ".join(f"{name} {ms:.1f} ms" for name, ms in figures[str(clients)]["latency_ms"].items())
        print(f"{engine}, {clients} callers: {len(seconds) / for_s:.1f} explanations a second, {shown}")
    return figures


def measure_open(address: str, request: Request, rate_per_s: float, round_s: float) -> dict[str, Any]:
    """Latency at a given rate of arrivals, evenly spaced and at random in turn; the ratio is the median round's."""
    calls = max(2, round(rate_per_s * round_s))
    random = np.random.default_rng(0)
    rounds: dict[str, list[dict[str, Any]]] = {"even": [], "poisson": []}
    for _ in range(ROUNDS):
        for kind, taken in rounds.items():
            gaps_s = random.exponential(1 / rate_per_s, calls) if kind == "poisson" else np.full(calls, 1 / rate_per_s)
            taken.append(spread(asyncio.run(call_at(address, request, np.cumsum(gaps_s).tolist()))))
    figures: dict[str, Any] = {"load": LOAD, "rate_per_s": rate_per_s, "calls_a_round": calls}
    for kind, taken in rounds.items():
        ratio = statistics.median(figure["p99_over_p50"] for figure in taken)
        figures[kind] = {"p99_over_p50": ratio, "rounds": taken}
        print(f"embedded, {rate_per_s:.1f} arrivals a second, {kind}: 99th percentile {ratio:.2f} times the median")
    return figures


def spread(seconds: Sequence[float | None]) -> dict[str, Any]:
    """Percentiles of the answered calls, their ratio, and how many were refused."""
    answered = [each for each in seconds if each is not None]
    latency_ms = percentiles(answered)
    ratio = latency_ms["p99"] / latency_ms["p50"]
    return {"latency_ms": latency_ms, "p99_over_p50": ratio, "refused": len(seconds) - len(answered)}


if __name__ == "__main__":
    main()

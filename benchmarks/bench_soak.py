"""What callers see while the service is overloaded, beaten, replaced and told to stop. Minutes; on loopback alone.

    goodput_share               explanations answered a second, of what the service can answer, while ten times as many
                                are asked for a minute
    deadline_goodput_share      the same where every call has a deadline of two seconds
    refusal_p99_over_p50_idle   99th percentile of how long a refusal takes over the median answer of an idle service
    memory_growth               resident memory at the end of both over that at their beginning
    explain_p99_beside_maximise 99th percentile of an explanation beside a maximisation over that alone
    explain_p99_beside_hour     the same beside hours of sound that are predicted, twenty minutes a call
    wrong_answers, recovery_s   with a Triton server that is killed five times: answers that are none of the bundle's;
                                seconds from when it is ready again to the next answer, at most
    swap_failed, swap_mixed     of twenty swaps of two bundles: swaps and calls that failed, answers of both
    drain_failed                of twenty SIGTERMs to two replicas in turn: calls that failed, ends out of order
    third_replica_share         of the calls, a minute after a third replica joined two under one name
    unexpected_errors           of all calls, those that ended neither in an answer nor in a refusal with a hint of when
                                to ask again, nor as the part expects (`unexpected` of each part)

Service, Triton server and callers share this machine. `make soak` runs this.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import processor
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import circumstances, one_excerpt, write
from soak.overload import mixed, overload
from soak.replicas import stops, third_replica
from soak.scale import FULL, QUICK, Scale
from soak.swaps import swaps
from soak.triton_kills import triton_kills

KEYS = (
    "goodput_share",
    "deadline_goodput_share",
    "refusal_p99_over_p50_idle",
    "unexpected_errors",
    "memory_growth",
    "explain_p99_beside_maximise",
    "explain_p99_beside_hour",
    "wrong_answers",
    "recovery_s",
    "swap_failed",
    "swap_mixed",
    "drain_failed",
    "third_replica_share",
)
PARTS = ("overload", "mixed", "triton", "swaps", "stops", "third-replica")


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--quick", action="store_true", help="a try: seconds and few repetitions of everything")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part, and others named so (default: all)")
    return parser


def main() -> None:
    """Runs the parts one after the other, prints and writes the figures."""
    options = get_parser().parse_args()
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores")
    figures = soak(options.model_repository, QUICK if options.quick else FULL, options.only or PARTS)
    write(figures, options.json)
    for key in KEYS:
        if key in figures:
            print(f"{key:28} {figures[key]:.4g}")
    print(f"Figures: {options.json}")


def soak(model_repository: Path, scale: Scale, only: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """The figures of some parts, all of those a part measured under its name in `parts`."""
    bundle = load_bundle(model_repository)
    _, request = one_excerpt(bundle)
    content = request.SerializeToString()
    sound = (np.random.default_rng(0).normal(0, 0.1, 2 * 22050).astype(np.float32), 22050)
    doing: dict[str, Callable[[], dict[str, Any]]] = {
        "overload": lambda: overload(model_repository, content, scale),
        "mixed": lambda: mixed(model_repository, content, scale),
        "triton": lambda: triton_kills(model_repository, content, scale),
        "swaps": lambda: swaps(model_repository, content, scale),
        "stops": lambda: stops(model_repository, sound, scale),
        "third-replica": lambda: third_replica(model_repository, sound, scale),
    }
    parts: dict[str, dict[str, Any]] = {}
    for name in PARTS:
        if name in only:
            began_s = time.monotonic()
            print(f"{name} ...", flush=True)
            parts[name] = doing[name]()
            parts[name]["seconds_in_all"] = time.monotonic() - began_s
    figures = {key: part[key] for key in KEYS for part in parts.values() if key in part}
    figures["unexpected_errors"] = sum(sum(part.get("unexpected", {}).values()) for part in parts.values())
    return {**figures, "parts": parts, **circumstances(bundle)}


if __name__ == "__main__":
    main()

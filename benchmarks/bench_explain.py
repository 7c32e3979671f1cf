"""What gRPC costs an explanation, over the bare engine, and what its evidence costs, over masking alone.

All figures come from one run, with what is compared taking turns so that both see the same machine:

    grpc_overhead_ms  time of one Explain over gRPC (one client, float32 PCM of one excerpt, default options) less time
                      of the bare engine computing the same outputs for the same excerpt: medians of neighbouring
                      bouts of calls subtracted, and the median of those differences, so that a drift of the
                      machine cancels
    overhead_over_echo  that ÷ time of a call to a bare grpc.aio service that answers with the same message at once
    half_maps_saved_ms  time of one Explain less time of one whose maps are in two bytes a value, likewise;
                      `answer_bytes` of both
    grpc_share        rows per second that 16 concurrent gRPC clients get ÷ rows per second of the bare engine at its
                      best batch size
    evidence_over_before  time of one Explain with all evidence by exchange ÷ with evidence by mean fill alone, which
                      was all there was before: medians of neighbouring bouts divided, and the median of those
    kept_over_before  the same of evidence "kept"; neither is given of a bundle without other music

The service runs as a process of its own, as it does in use; the bare engine runs in this one.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from echo_service import echo
from phonoscope.v1 import explainer_service_pb2_grpc, explanation_pb2, time_frequency_pb2
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.exchange import EXCHANGED
from phonoscope_serving.bundle.rules import CONTROL_REGIONS
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.explain.answer import MAPS
from phonoscope_serving.rpcs.explain.exchange import DRAWS, Evidence, Explained, evidence_of, trial_rows
from phonoscope_serving.rpcs.explain.trust import Trust
from service_load import Inputs, Request, call_for, circumstances, one_excerpt, percentiles, service, write

Explain = Callable[[Inputs], object]  # the bare engine, at this rule
EVIDENCE = {
    "before": explanation_pb2.EVIDENCE_MEAN_FILL,
    "evidence": explanation_pb2.EVIDENCE_FULL,
    "kept": explanation_pb2.EVIDENCE_KEPT,
}
BATCH_ROWS = (4, 8, 16)
BOUT_CALLS = 20
WARM_CALLS = 5  # of each bout, not counted
CLIENTS = 16


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--calls", type=int, default=400, help="single calls each way (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of throughput (default: %(default)s)")
    parser.add_argument("--round-s", type=float, default=4.0, help="seconds of one measurement (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    engine = OnnxEngine(bundle, OnnxOptions(), Metrics())
    engine.load()
    inputs, request = one_excerpt(bundle)
    explain = asked_of(engine, bundle, inputs)
    with service(options.model_repository) as address:
        latency = measure_latency(explain, inputs, request, address, options.calls)
        evidence = measure_evidence(request, address, options.calls) if bundle.default.exchange else {}
        throughput = measure_throughput(explain, inputs, request, address, options.rounds, options.round_s)
    figures = {**latency, **evidence, **throughput, **circumstances(bundle)}
    figures["machine"] |= {"device": engine.device, "threads": engine.threads}
    write(figures, options.json)
    added = f"gRPC adds {figures['grpc_overhead_ms']:.2f} ms to an explanation of {figures['bare_ms']['p50']:.1f} ms"
    print(f"{added}, {figures['overhead_over_echo']:.2f} times a bare echo; maps in two bytes save ", end="")
    print(f"{figures['half_maps_saved_ms']:.2f} ms;")
    if evidence:
        ratios = (figures["evidence_over_before"], figures["kept_over_before"])
        print("evidence by exchange takes {:.2f} times as long as by mean fill, the least {:.2f}".format(*ratios))
    print(f"{CLIENTS} clients get {figures['grpc_share']:.0%} of the bare engine's throughput. Figures: {options.json}")


def asked_of(engine: OnnxEngine, bundle: Bundle, inputs: Inputs) -> Explain:
    """What the service asks of its engine for an explanation with default options, of as many excerpts as are given."""
    rule, evidence = bundle.default.rules[0], evidence_of(bundle.default, None)
    outputs = [*MAPS, "effective_alpha", *Trust.measured(bundle.default, rule, evidence)]
    if bundle.default.exchange is None:
        return partial(engine.run, rule.ensemble, outputs=outputs)
    outputs += [CONTROL_REGIONS] if evidence is Evidence.FULL else []
    answer = engine.run(rule.ensemble, inputs, outputs)
    claim, seed = bundle.default.decision.claim("", "", answer["probability"][0]), int(inputs["control_seed"][0, 0])
    explained = Explained(
        claim, seed, inputs["samples"], answer["log_mel"], answer["mask"], answer.get(CONTROL_REGIONS)
    )
    trials = trial_rows(bundle.default.exchange, explained, DRAWS[evidence])

    def explain(given: Inputs) -> None:
        engine.run(rule.ensemble, given, outputs)
        engine.run(EXCHANGED, {name: np.concatenate([row] * len(given["samples"])) for name, row in trials.items()})

    return explain


def measure_evidence(request: Request, address: str, calls: int) -> dict[str, Any]:
    """One caller, one excerpt, each kind of evidence in turn, a bout of calls each."""
    taken: dict[str, list[list[float]]] = {}
    with grpc.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        for _ in range(1 + calls // BOUT_CALLS):
            for name, evidence in EVIDENCE.items():
                asked = Request()
                asked.CopyFrom(request)
                asked.evidence = evidence
                taken.setdefault(name, []).append(bout_of(partial(stub.Explain, asked)))

    def over_before(name: str) -> float:
        pairs = zip(taken[name][1:], taken["before"][1:], strict=True)
        return statistics.median(statistics.median(each) / statistics.median(before) for each, before in pairs)

    return {f"{name}_over_before": over_before(name) for name in EVIDENCE if name != "before"} | {
        f"{name}_ms": percentiles([*chain(*bouts[1:])]) for name, bouts in taken.items()
    }


def measure_latency(explain: Explain, inputs: Inputs, request: Request, address: str, calls: int) -> dict[str, Any]:
    """One caller, one excerpt: engine, service and a bare echo in turn, a bout of calls each.

    A bout's first calls find the caches full of the other engine's weights, which no deployment sees: there is one
    engine on a machine.
    """
    half = Request()
    half.CopyFrom(request)
    half.map_precision = time_frequency_pb2.MAP_PRECISION_FLOAT16
    bouts: dict[str, list[list[float]]] = {}
    with ExitStack() as held:
        stub = stub_of(held, address)
        answers = {"float32": stub.Explain(request), "float16": stub.Explain(half)}
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        bare = stub_of(held, held.enter_context(echo(answers["float32"], folder)))
        asked: dict[str, Callable[[], object]] = {
            "bare": lambda: explain(inputs),
            "grpc": lambda: stub.Explain(request),
            "half": lambda: stub.Explain(half),
            "echo": lambda: bare.Explain(request),
        }
        for _ in range(1 + calls // BOUT_CALLS):
            for name, call in asked.items():
                bouts.setdefault(name, []).append(bout_of(call))
    medians = {name: [statistics.median(bout) for bout in each[1:]] for name, each in bouts.items()}  # first: arenas

    def less(one: str, other: str) -> float:
        return statistics.median(a - b for a, b in zip(medians[one], medians[other], strict=True))

    return {
        "grpc_overhead_ms": less("grpc", "bare") * 1e3,
        "overhead_over_echo": less("grpc", "bare") / statistics.median(medians["echo"]),
        "half_maps_saved_ms": less("grpc", "half") * 1e3,
        "answer_bytes": {name: answer.ByteSize() for name, answer in answers.items()},
        **{f"{name}_ms": percentiles([*chain(*each[1:])]) for name, each in bouts.items()},
    }


def stub_of(held: ExitStack, address: str) -> Any:  # noqa: ANN401 - grpc ships no types
    """Calls a service for as long as `held` is."""
    return explainer_service_pb2_grpc.ExplainerServiceStub(held.enter_context(grpc.insecure_channel(address)))


def bout_of(call: Callable[[], object]) -> list[float]:
    """Seconds of each counted call of a bout."""
    return [seconds_of(call) for _ in range(WARM_CALLS + BOUT_CALLS)][WARM_CALLS:]


def measure_throughput(
    explain: Explain,
    inputs: Inputs,
    request: Request,
    address: str,
    rounds: int,
    round_s: float,
) -> dict[str, Any]:
    """Sixteen callers, against the engine at each batch size; the median of some rounds."""
    bare: dict[int, list[float]] = {rows: [] for rows in BATCH_ROWS}
    served: list[float] = []
    latencies: list[float] = []
    for number in range(rounds):
        print(f"throughput, round {number + 1} of {rounds}", file=sys.stderr)
        for rows in BATCH_ROWS:
            bare[rows].append(bare_rows_per_s(explain, inputs, rows, round_s))
        seconds = asyncio.run(call_for(address, request, CLIENTS, round_s))
        served.append(len(seconds) / round_s)
        latencies += seconds
    bare_medians = {rows: statistics.median(rates) for rows, rates in bare.items()}
    return {
        "grpc_share": statistics.median(served) / max(bare_medians.values()),
        "grpc_rows_per_s": statistics.median(served),
        "bare_rows_per_s": bare_medians,
        "grpc_loaded_ms": percentiles(latencies),
    }


def bare_rows_per_s(explain: Explain, inputs: Inputs, rows: int, for_s: float) -> float:
    """Rows per second of the bare engine at one batch size."""
    batch = {name: np.repeat(tensor, rows, axis=0) for name, tensor in inputs.items()}
    began_s, done = time.perf_counter(), 0
    while time.perf_counter() - began_s < for_s:
        explain(batch)
        done += rows
    return done / (time.perf_counter() - began_s)


def seconds_of(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()

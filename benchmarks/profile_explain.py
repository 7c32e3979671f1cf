"""Where the time of an Explain goes, to a tenth of a millisecond.

One caller, float32 samples of one excerpt, default options, one call after another. The service's own metrics are read
before and after, so that each part is a mean over all calls:

    graphs          each graph, summed over the steps of the ensembles that run it, with how often a call runs it
    steps           what executing ensembles adds to their graphs: tensors handed on, batches put together
    service         from the request's arrival to its answer, less the engine: decoding, queue, trust, the message
    gRPC            what the caller waits for beyond that: both ends' gRPC, the system, the caller's own reading

`--engine` and `--precision` are those of `phonoscope-serve`.
"""

from __future__ import annotations

import argparse
import time
import urllib.request
from pathlib import Path
from typing import Any

import grpc
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope_client import running_service
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.precision import PRECISIONS
from phonoscope_serving.command_line import default_repository
from prometheus_client.parser import text_string_to_metric_families
from service_load import circumstances, one_excerpt, write

WARM_CALLS = 20
HANDLING = "grpc_server_handling_seconds_sum"
GRAPH, ENGINE = "phonoscope_graph_seconds", "phonoscope_engine_seconds_sum"
Counts = dict[tuple[str, str], float]  # a sample's name, and its graph, model or method → its value


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--engine", choices=("onnx", "openvino"), default="onnx", help="(default: %(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="(default: %(default)s)")
    parser.add_argument("--calls", type=int, default=300, help="that are measured (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    _, request = one_excerpt(bundle)
    arguments = ["--model-repository", str(options.model_repository), "--device", "cpu"]
    arguments += ["--engine", options.engine, "--precision", options.precision]
    with running_service(arguments) as running, grpc.insecure_channel(running.address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        for _ in range(WARM_CALLS):
            stub.Explain(request)
        before, began_s = counts(running.metrics_address), time.perf_counter()
        for _ in range(options.calls):
            stub.Explain(request)
        waited_s = time.perf_counter() - began_s
        after = counts(running.metrics_address)
    spent = {name: (value - before.get(name, 0.0)) / options.calls for name, value in after.items()}
    figures = parts(spent, waited_s / options.calls) | circumstances(bundle)
    figures |= {"engine": options.engine, "precision": options.precision, "calls": options.calls}
    write(figures, options.json)
    show(figures, options.json)


def counts(metrics_address: str) -> Counts:
    """What the service has counted so far."""
    with urllib.request.urlopen(f"http://{metrics_address}/metrics") as answer:
        text = answer.read().decode()
    found: Counts = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            which = labels.get("graph") or labels.get("model") or labels.get("grpc_method", "")
            if "le" not in labels:
                found[sample.name, which] = sample.value
    return found


def parts(spent: Counts, call_s: float) -> dict[str, Any]:
    """A call's parts in milliseconds, of what one call has spent of each count in the mean."""
    graphs = {
        which: {"ms": value * 1e3, "runs": spent[f"{GRAPH}_count", which]}
        for (name, which), value in spent.items()
        if name == f"{GRAPH}_sum" and value > 0
    }
    in_graphs = sum(each["ms"] for each in graphs.values())
    engine = 1e3 * sum(value for (name, _), value in spent.items() if name == ENGINE)
    handled = 1e3 * spent[HANDLING, "Explain"]
    return {
        "call_ms": call_s * 1e3,
        "graphs": dict(sorted(graphs.items(), key=lambda each: -each[1]["ms"])),
        "steps_ms": engine - in_graphs,
        "service_ms": handled - engine,
        "grpc_ms": call_s * 1e3 - handled,
    }


def show(figures: dict[str, Any], path: Path) -> None:
    """A table for whoever waits for it."""
    print(f"{figures['engine']}, {figures['precision']}, on {figures['machine']['processor']}, ms of a call")
    for graph, of in figures["graphs"].items():
        print(f"  {graph:24} {of['ms']:6.1f}   {of['runs']:.0f} runs")
    for name, what in (("steps_ms", "steps"), ("service_ms", "service"), ("grpc_ms", "gRPC"), ("call_ms", "in all")):
        print(f"  {what:24} {figures[name]:6.1f}")
    print(f"Figures: {path}")


if __name__ == "__main__":
    main()

"""Where the time of an Explain goes, to a tenth of a millisecond.

One caller, float32 samples of one excerpt, default options, one call after another. The service's own metrics are read
before and after, so that each part is a mean over all calls:

    graphs          each graph, summed over the steps of the ensembles that run it, with how often a call runs it
    steps           what executing ensembles adds to their graphs: tensors handed on, batches put together
    service         from the request's arrival to its answer, less the engine: decoding, queue, trust, the message
    gRPC            what the caller waits for beyond that: both ends' gRPC, the system, the caller's own reading

Beside these, parts of `service` and of `gRPC`, each measured by itself: the request read, the excerpt cut, a thread of
the engine asked for nothing, the answer written, the answer read, and a bare call that answers at once with as much.

`--page` puts the table in a page of the docs.

`--engine` and `--precision` are those of `phonoscope-serve`.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from echo_service import echo
from page import put, table
from phonoscope.v1 import explainer_service_pb2_grpc, explanation_pb2
from phonoscope_client import running_service
from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.precision import PRECISIONS
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.embedded.lane import Lane
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from phonoscope_serving.sound.excerpt import excerpt_around
from prometheus_client.parser import text_string_to_metric_families
from service_load import Request, circumstances, one_excerpt, write

WARM_CALLS = 20
BESIDE_CALLS = 200  # of each part by itself
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
    parser.add_argument(
        "--page", type=Path, metavar="PATH", help="page that the table is put in, such as docs/speed.md"
    )
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
        answer = stub.Explain(request)
    spent = {name: (value - before.get(name, 0.0)) / options.calls for name, value in after.items()}
    figures = parts(spent, waited_s / options.calls) | circumstances(bundle)
    figures |= {"engine": options.engine, "precision": options.precision, "calls": options.calls}
    figures["beside"] = beside(bundle, request, answer)
    write(figures, options.json)
    text = page_of(figures)
    print(text)
    if options.page:
        put(options.page, "profile-explain", text)
    print(f"Figures: {options.json}")


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


def beside(bundle: Bundle, request: Request, answer: explanation_pb2.ExplainResponse) -> dict[str, float]:
    """Parts of a call by themselves, in milliseconds."""
    asked, said, front_end = request.SerializeToString(), answer.SerializeToString(), bundle.default.front_end
    source = PcmAudio(request.audio.pcm.samples, request.audio.pcm.sample_rate_hz, 1)
    decoder, lane = Decoder(1), Lane("measured", BusyTime())

    async def cut() -> None:
        await decoder.read(source, lambda recording: excerpt_around(recording, front_end, request.at_s), None)

    async def nothing() -> None:
        await lane.run(lambda: None)

    async def awaited() -> tuple[float, float]:
        return await mean_ms_of(cut), await mean_ms_of(nothing)

    cut_ms, thread_ms = asyncio.run(awaited())
    lane.close()
    decoder.close()
    with (
        tempfile.TemporaryDirectory() as folder,
        echo(answer, Path(folder)) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        echo_ms = mean_ms(lambda: stub.Explain(request))
    return {
        "the request read": mean_ms(lambda: explanation_pb2.ExplainRequest.FromString(asked)),
        "the excerpt cut": cut_ms,
        "a thread of the engine and back, each of two": thread_ms,
        "the answer written": mean_ms(answer.SerializeToString),
        "the answer read": mean_ms(lambda: explanation_pb2.ExplainResponse.FromString(said)),
        "a bare call that answers as much at once": echo_ms,
    }


def mean_ms(run: Callable[[], object]) -> float:
    """What something takes, in the mean."""
    began_s = time.perf_counter()
    for _ in range(BESIDE_CALLS):
        run()
    return (time.perf_counter() - began_s) / BESIDE_CALLS * 1e3


async def mean_ms_of(run: Callable[[], Awaitable[object]]) -> float:
    """Likewise, of something that is awaited."""
    began_s = time.perf_counter()
    for _ in range(BESIDE_CALLS):
        await run()
    return (time.perf_counter() - began_s) / BESIDE_CALLS * 1e3


def page_of(figures: dict[str, Any]) -> str:
    """The tables of a page, with engine and processor."""
    parts_ms = [(f"`{graph}`", of["ms"], round(of["runs"])) for graph, of in figures["graphs"].items()]
    parts_ms += [(what, figures[f"{what}_ms"], "") for what in ("steps", "service")]
    parts_ms += [("gRPC", figures["grpc_ms"], ""), ("in all", figures["call_ms"], "")]
    where = f"{figures['machine']['processor']}, {figures['machine']['cores']} cores"
    asked = f"`--engine {figures['engine']} --precision {figures['precision']}`"
    said = f"{asked} on {where}, the mean of {figures['calls']} calls:"
    beside_ms = table(("of these, by itself", "ms"), figures["beside"].items())
    return f"{said}\n\n{table(('part', 'ms of a call', 'runs'), parts_ms)}\n\n{beside_ms}"


if __name__ == "__main__":
    main()

"""How near each RPC comes to what the processor can multiply: `gemm_share`, beside a matrix product in the same run.

Each RPC is asked in this process, without gRPC, one after the other, with default options. Of its graphs, the time that
the engine's own metrics say, and the multiply-adds: those of every convolution and matrix product as the graph defines
them, counted once by ONNX Runtime's profile of the same tensors, without any of its rewriting.

    gemm_share[RPC]   multiply-adds a second of all its graphs ÷ those of a float32 product of 2048 × 2048, the
                      faster of NumPy's and PyTorch's, measured in turns with it
    networks[RPC]     share of that time spent in the graphs that are networks; the rest is front-ends, masks, sound
    graphs            likewise for each graph: its share of the peak

`--page` puts the table in a page of the docs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import onnxruntime as ort
import torch
from machine import machine
from matrix_product import peak
from page import put, table
from phonoscope.v1 import auralisation_pb2, explanation_pb2, inversion_pb2, maximisation_pb2
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.precision import reducible
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.auralise import messages as auralisation_messages
from phonoscope_serving.rpcs.auralise.answer import auralise
from phonoscope_serving.rpcs.auralise.networks import audible_networks
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain import messages as explanation_messages
from phonoscope_serving.rpcs.explain.answer import explain
from phonoscope_serving.rpcs.invert import messages as inversion_messages
from phonoscope_serving.rpcs.invert.answer import invert_layers
from phonoscope_serving.rpcs.maximise import messages as maximisation_messages
from phonoscope_serving.rpcs.maximise.answer import maximise
from phonoscope_serving.rpcs.maximise.settings import maximiser
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from service_load import one_excerpt, write

SECONDS = "phonoscope_graph_seconds_sum"
STEPS = 40  # of an ascent
SHOWN = 0.1  # of an RPC's time: graphs that take less are in the JSON alone
BACKWARDS = frozenset({"gradient", "maximise", "generate", "deconvnet"})  # networks, too, though never reduced
Asks = dict[str, Callable[[], Awaitable[object]]]
Shape = list[int]


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--rounds", type=int, default=10, help="of each RPC and the product (default: %(default)s)")
    parser.add_argument(
        "--page", type=Path, metavar="PATH", help="page that the table is put in, such as docs/speed.md"
    )
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle, metrics = load_bundle(options.model_repository), Metrics()
    engine = OnnxEngine(bundle, OnnxOptions(), metrics)
    torch.set_num_threads(engine.threads)
    figures = asyncio.run(measure(bundle, engine, metrics, options.rounds)) | {"machine": machine()}
    write(figures, options.json)
    text = page_of(figures)
    print(text)
    if options.page:
        put(options.page, "bench-gemm", text)
    print(f"Figures: {options.json}")


async def measure(bundle: Bundle, engine: OnnxEngine, metrics: Metrics, rounds: int) -> dict[str, Any]:
    """Every RPC and the matrix product in turns."""
    await engine.start()
    try:
        asks = asks_of(bundle, engine)
        counted = {rpc: await multiply_adds(bundle, engine, ask) for rpc, ask in asks.items()}
        seconds: dict[str, list[dict[str, float]]] = {rpc: [] for rpc in asks}
        peaks = []
        for _ in range(rounds):
            for rpc, ask in asks.items():
                peaks.append(peak())
                before = graph_seconds(metrics)
                await ask()
                spent = {graph: s - before.get(graph, 0.0) for graph, s in graph_seconds(metrics).items()}
                seconds[rpc].append({graph: s for graph, s in spent.items() if s > 0})
    finally:
        await engine.close()
    networks = reducible(bundle) | {name for name in bundle.models if name.partition("_")[0] in BACKWARDS}
    best = statistics.median(peaks)
    figures: dict[str, Any] = {"gemm_share": {}, "networks": {}, "graphs": {}, "ms": {}, "gflop": {}}
    for rpc, rounds_s in seconds.items():
        spent = {graph: statistics.median(each.get(graph, 0.0) for each in rounds_s) for graph in rounds_s[0]}
        all_s = sum(spent.values())
        figures["ms"][rpc], figures["gflop"][rpc] = all_s * 1e3, 2e-9 * sum(counted[rpc].values())
        figures["gemm_share"][rpc] = sum(counted[rpc].values()) / all_s / best
        figures["networks"][rpc] = sum(s for graph, s in spent.items() if graph in networks) / all_s
        figures["graphs"][rpc] = {
            graph: {"ms": s * 1e3, "gemm_share": counted[rpc].get(graph, 0) / s / best} for graph, s in spent.items()
        }
    return figures | {"matrix_product_gflops": 2e-9 * best}


def asks_of(bundle: Bundle, engine: OnnxEngine) -> Asks:
    """Each RPC that the bundle answers, asked as the service asks it."""
    call, listener = Call(engine, bundle, Decoder(1)), bundle.default
    _, request = one_excerpt(bundle)
    pcm = request.audio.pcm
    source, audio, at_s = PcmAudio(pcm.samples, pcm.sample_rate_hz, 1), request.audio, request.at_s
    asks: Asks = {
        "Explain": lambda: explain(
            call, source, explanation_messages.question(explanation_pb2.ExplainRequest(at_s=at_s))
        )
    }
    if listener.inversion_error_quantiles:
        inverted = inversion_messages.question(inversion_pb2.InvertLayersRequest(at_s=at_s))
        asks["InvertLayers"] = lambda: invert_layers(call, source, inverted)
    audible = audible_networks(bundle)
    for network, named in (
        ("detector", auralisation_pb2.NETWORK_DETECTOR),
        ("tagger", auralisation_pb2.NETWORK_TAGGER),
    ):
        if network in audible:
            heard = auralisation_messages.question(
                auralisation_pb2.AuraliseRequest(audio=audio, at_s=at_s, network=named, layer="conv4", listen=True)
            )
            asks[f"Auralise, {network}"] = lambda heard=heard: auralise(call, audible, source, heard)  # type: ignore[misc]  # it cannot infer the lambda
    if known := maximiser(bundle):
        climbed = maximisation_messages.question(
            maximisation_pb2.MaximiseRequest(steps=STEPS), known, listener.decision
        )

        async def climb() -> None:
            async for _ in maximise(call, known, climbed):
                pass

        asks["Maximise"] = climb
    return asks


async def multiply_adds(bundle: Bundle, engine: OnnxEngine, ask: Callable[[], Awaitable[object]]) -> dict[str, int]:
    """What one call of an RPC multiplies and adds, by graph."""
    graphs = engine._graphs
    real, calls = graphs.run, list[tuple[str, dict[str, Any]]]()

    def run(graph: str, inputs: Mapping[str, Any], wanted: tuple[str, ...]) -> dict[str, Any]:
        calls.append((graph, {name: graphs.array(each).copy() for name, each in inputs.items()}))
        return real(graph, inputs, wanted)

    graphs.run = run  # type: ignore[method-assign]  # looked at, for this one call
    try:
        await ask()
    finally:
        graphs.run = real  # type: ignore[method-assign]
    counted: dict[str, int] = {}
    known: dict[tuple[str, str], int] = {}
    for graph, inputs in calls:
        key = graph, str({name: each.shape for name, each in inputs.items()})
        if key not in known:
            known[key] = counted_by_profile(bundle.graph(graph), inputs)
        counted[graph] = counted.get(graph, 0) + known[key]
    return counted


def counted_by_profile(graph: bytes, inputs: Mapping[str, Any]) -> int:
    """Multiply-adds of one run of a graph, of the shapes that ONNX Runtime has met."""
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_profiling, options.profile_file_prefix = True, f"{folder}/profile"
        options.log_severity_level = 3
        options.add_session_config_entry("session.disable_prepacking", "1")  # a packed kernel has no shape any more
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        session.run(None, dict(inputs))
        events = json.loads(Path(session.end_profiling()).read_text())
    return sum(of_event(event.get("args", {})) for event in events if event.get("cat") == "Node")


def of_event(said: Mapping[str, Any]) -> int:
    """Multiply-adds of one node that was run, by its kind and shapes."""
    kind = said.get("op_name")
    if kind not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 0
    taken, made = (
        [next(iter(each.values())) for each in said[side]] for side in ("input_type_shape", "output_type_shape")
    )
    if kind == "Conv":  # the kernel of every output: channels of a group, height, width
        return int(np.prod(made[0]) * np.prod(taken[1][1:]))
    if kind == "ConvTranspose":  # every input goes through the kernel of every channel of its group
        return int(np.prod(taken[0]) * np.prod(taken[1][1:]))
    inner = taken[0][-1] if kind == "MatMul" else int(np.prod(taken[0])) // made[0][0]
    return int(np.prod(made[0]) * inner)


def graph_seconds(metrics: Metrics) -> dict[str, float]:
    """What each graph has taken so far."""
    return {
        sample.labels["graph"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == SECONDS
    }


def page_of(figures: Mapping[str, Any]) -> str:
    """The table of a page, with the processor."""
    rows = [
        (rpc, ms, figures["gflop"][rpc], figures["gemm_share"][rpc], figures["networks"][rpc])
        for rpc, ms in figures["ms"].items()
    ]
    columns = ("RPC", "ms in graphs", "GFLOP", "`gemm_share`", "of its time in networks")
    where = f"{figures['machine']['processor']}, {figures['machine']['cores']} cores"
    said = f"On {where}; a float32 matrix product makes {figures['matrix_product_gflops']:.0f} GFLOP/s there."
    graphs = [
        (f"`{graph}`, {rpc}", of["ms"], of["gemm_share"])
        for rpc, ms in figures["ms"].items()
        for graph, of in sorted(figures["graphs"][rpc].items(), key=lambda each: -each[1]["ms"])
        if of["ms"] > SHOWN * ms
    ]
    of_graphs = table(("graphs that take more than a tenth of it", "ms", "`gemm_share`"), graphs)
    return f"{said}\n\n{table(columns, rows)}\n\n{of_graphs}"


if __name__ == "__main__":
    main()

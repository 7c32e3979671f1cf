"""How fast units are maximised: beside eager PyTorch, beside a matrix product, and for many requests at once.

Everything is measured in one run, alternately where two sides are compared. `speedup_over_eager`: time for a row and
step of eager PyTorch autograd, doing the same, over that of the exported graph. `gemm_share`: multiply-adds a second of
the graph, counting those that the networks' definitions need, over those of a plain matrix product.
`concurrent_over_sequential`: 16 requests of mixed settings at once over one after the other. `cancel_chunks`: calls of
the graph that still ended after the only request was cancelled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import onnxruntime
import torch
from machine import machine
from maximisation_bundle import Networks, networks_of, serving_bundle
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.maximise.answer import maximise
from phonoscope_serving.rpcs.maximise.question import MaximisationQuestion, ResponseTerm
from phonoscope_serving.rpcs.maximise.settings import MaximisationSettings, Maximiser, maximiser
from phonoscope_serving.sound.decoding import Decoder
from phonoscope_trainer.graphs.maximise import INITIAL
from service_load import write

STEPS = 10  # of one call of the graph
GEMM = 2048  # rows and columns of the matrix product


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("out/bench/maximise.json"), metavar="FILE")
    parser.add_argument(
        "--generator", type=Path, metavar="RUN", help="run of the generator (default: an untrained one)"
    )
    parser.add_argument("--kernels", choices=["paper", "5x5"], default="5x5", help="of an untrained generator")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of every side (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=16, metavar="N", help="climbing together (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each comparison (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    networks = networks_of(options.generator, options.kernels)
    with tempfile.TemporaryDirectory() as folder:
        bundle = serving_bundle(networks, Path(folder))
        graph = bundle.root / "maximise" / "1" / "model.onnx"
        figures = step_figures(networks, graph, options.rows, options.threads, options.rounds)
        figures |= asyncio.run(service_figures(bundle, options.threads, options.rounds))
    figures |= {
        "rows": options.rows,
        "threads": options.threads,
        "onnxruntime": onnxruntime.__version__,
        "machine": machine(),
    }
    print(json.dumps(figures, indent=2))
    write(figures, options.json)


def step_figures(networks: Networks, graph: Path, rows: int, threads: int, rounds: int) -> dict[str, Any]:
    """The graph, eager PyTorch and a matrix product in turns."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    inputs = _inputs(session, rows)
    square = torch.randn(GEMM, GEMM)
    sides: dict[str, Callable[[], object]] = {
        "graph": lambda: session.run(None, inputs),
        "eager": lambda: eager_steps(networks, torch.from_numpy(inputs["z"]), STEPS),
        "product": lambda: square @ square,
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_number in range(rounds + 1):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            if round_number:  # the first warms up
                seconds[name].append(time.perf_counter() - began)
    taken = {name: statistics.median(each) for name, each in seconds.items()}
    speedups = [eager / graph for eager, graph in zip(seconds["eager"], seconds["graph"], strict=True)]
    work = networks.multiply_adds() * rows * STEPS
    peak = GEMM**3 / taken["product"]
    return {
        "speedup_over_eager": statistics.median(speedups),
        "gemm_share": work / taken["graph"] / peak,
        "graph_ms_per_row_and_step": 1000 * taken["graph"] / rows / STEPS,
        "eager_ms_per_row_and_step": 1000 * taken["eager"] / rows / STEPS,
        "matrix_product_gflops": 2 * peak / 1e9,
        "multiply_adds_per_row_and_step": networks.multiply_adds(),
    }


def eager_steps(networks: Networks, z: torch.Tensor, steps: int) -> torch.Tensor:
    """The objective of the output unit climbed by `torch.optim.Adam`, as one would write it."""
    at = z.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([at], lr=0.01, betas=(0.99, 0.999), maximize=True)
    for _ in range(steps):
        response = networks.detector(networks.standardise(networks.generator(at)))
        objective = response.sum() - 0.001 * 0.5 * (at * at).sum()
        (at.grad,) = torch.autograd.grad(objective, at)
        optimiser.step()
    return at.detach()


async def service_figures(bundle: Bundle, threads: int, rounds: int) -> dict[str, Any]:
    """16 requests at once beside one after the other, and what a cancelled one leaves behind."""
    metrics = Metrics()
    engine = OnnxEngine(bundle, OnnxOptions(device="auto", threads=threads), metrics)
    await engine.start()
    known, call = maximiser(bundle), Call(engine, bundle, Decoder(1))
    assert known is not None
    try:
        shares = []
        for _ in range(max(1, rounds // 2)):
            began = time.perf_counter()
            for asked in requests():
                await _answered(call, known, asked)
            middle = time.perf_counter()
            await asyncio.gather(*(_answered(call, known, asked) for asked in requests()))
            shares.append((time.perf_counter() - middle) / (middle - began))
        return {
            "concurrent_over_sequential": statistics.median(shares),
            "cancel_chunks": await _chunks_after_cancelling(call, known, metrics),
            "device": engine.device,
        }
    finally:
        await engine.close()


def requests() -> list[MaximisationQuestion]:
    """Sixteen that differ in everything: units, directions, budgets, rates."""
    terms = [("logit", None), ("fc8", 7), ("fc7", 31), ("fc8", None)]
    return [
        MaximisationQuestion(
            (ResponseTerm(*terms[number % 4], 1.0),),
            None,
            ("maximise", "minimise")[number % 2],
            1,
            number,
            MaximisationSettings(10 + 5 * (number % 5), 10.0 ** -(1 + number % 3), 10.0 ** -(1 + number % 2)),
            False,
        )
        for number in range(16)
    ]


async def _answered(call: Call, known: Maximiser, asked: MaximisationQuestion) -> None:
    async for _ in maximise(call, known, asked):
        pass


async def _chunks_after_cancelling(call: Call, known: Maximiser, metrics: Metrics) -> int:
    """Calls of the graph after a cancelled request's caller has left, with nobody else there."""

    def chunks() -> int:
        return int(metrics.registry.get_sample_value("phonoscope_batch_rows_count", {"model": "maximise"}) or 0)

    asked = MaximisationQuestion(
        (ResponseTerm("logit", None, 1.0),), None, "maximise", 4, 0, MaximisationSettings(2000, 0.01, 0.001), False
    )
    leaving = asyncio.create_task(_answered(call, known, asked))
    before = chunks()
    while chunks() < before + 2:
        await asyncio.sleep(0.005)
    leaving.cancel()
    at_cancel = chunks()
    await asyncio.gather(leaving, return_exceptions=True)
    await asyncio.sleep(2)
    return chunks() - at_cancel


def _inputs(session: onnxruntime.InferenceSession, rows: int) -> dict[str, Any]:
    kinds = {"tensor(float)": np.float32, "tensor(int32)": np.int32}
    inputs = {each.name: np.zeros([rows, *each.shape[1:]], kinds[each.type]) for each in session.get_inputs()}
    inputs["z"] = np.random.default_rng(0).standard_normal(inputs["z"].shape, np.float32)
    inputs["weights"][:, -1] = 1
    inputs["position"][:] = -1
    settings = {"steps": 1000, "learning_rate": 0.01, "prior_weight": 0.001, "sign": 1}
    for name, value in {**INITIAL, **settings}.items():
        inputs[name][:] = value
    return inputs


if __name__ == "__main__":
    main()

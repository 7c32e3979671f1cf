"""What a service that remembers saves of a moment that is asked about again, and what it costs where nothing is.

Two services in one run, one with `--remember-s`, which take turns over moments of the demo's song, sent whole as
clients send it. Of each moment are asked, one after the other:

    first          Explain, all evidence: nothing is known yet, so its ratio is what remembering costs
    again          the same
    kept           the same with less evidence, which is found among the more
    listen         the same with sounds, of which only the sounds are new
    other_alpha    the same with another region: the excerpt alone is known
    invert         InvertLayers: likewise
    invert_again   the same
    predict        Predict of the song, once
    predict_again  the same

`NAME_ratio`: with remembering ÷ without, the median over moments; `NAME_ms` of both. `together_ratio`: eight callers
who ask the same at once, time until all are answered, likewise. `bytes_a_moment`: kept after all of these.
"""

from __future__ import annotations

import argparse
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
from page import put, table
from phonoscope.v1 import audio_pb2, explainer_service_pb2_grpc, explanation_pb2, inversion_pb2, prediction_pb2
from phonoscope_client import running_service
from phonoscope_client.demo import SONG
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import circumstances, write

Stub = Any  # grpc ships no types
Step = tuple[str, Callable[[Stub], object]]
CALLERS = 8
FIRST_S, STEP_S = 2.0, 0.7  # moments
REMEMBER = ["--remember-s", "3600", "--remember-mb", "512"]
KEPT_BYTES = "phonoscope_remembered_bytes "


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument(
        "--page", type=Path, metavar="PATH", help="page that the table is put in, such as docs/speed.md"
    )
    parser.add_argument("--moments", type=int, default=20, help="that are asked about (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    audio = audio_pb2.Audio(encoded=SONG.read_bytes())
    taken: dict[str, dict[str, list[float]]] = {}
    with ExitStack() as held:
        arguments = ["--model-repository", str(options.model_repository), "--device", "cpu"]
        remembering = held.enter_context(running_service([*arguments, *REMEMBER]))
        plain = held.enter_context(running_service(arguments))
        stubs = {}
        for name, running in (("remembering", remembering), ("plain", plain)):
            channel = held.enter_context(grpc.insecure_channel(running.address))
            stubs[name] = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
            stubs[name].Explain(explanation_pb2.ExplainRequest(audio=audio, at_s=1.0))
        for number in range(options.moments):
            for name, ask in steps(audio, FIRST_S + STEP_S * number):
                for which in sorted(stubs, reverse=bool(number % 2)):
                    taken.setdefault(name, {}).setdefault(which, []).append(seconds_of(ask, stubs[which]))
        kept = kept_bytes(remembering.metrics_address) / options.moments
        predict = prediction_pb2.PredictRequest(audio=audio)
        for name in ("predict", "predict_again"):
            for which, stub in stubs.items():
                taken.setdefault(name, {})[which] = [seconds_of(lambda stub: stub.Predict(predict), stub)]
    figures = {"moments": options.moments, "bytes_a_moment": kept, **ratios(taken), **circumstances(bundle)}
    write(figures, options.json)
    text = page_of(figures, [*taken])
    print(text)
    if options.page:
        put(options.page, "bench-remember", text)
    print(f"Figures: {options.json}")


def steps(audio: audio_pb2.Audio, at_s: float) -> Iterator[Step]:
    """What is asked about one moment."""

    def explain(**options: Any) -> Callable[[Stub], object]:  # noqa: ANN401 - fields of the request
        request = explanation_pb2.ExplainRequest(audio=audio, at_s=at_s, **options)
        return lambda stub: stub.Explain(request)

    invert = inversion_pb2.InvertLayersRequest(audio=audio, at_s=at_s)
    yield "first", explain()
    yield "again", explain()
    yield "kept", explain(evidence=explanation_pb2.EVIDENCE_KEPT)
    yield "listen", explain(listen=True)
    yield "other_alpha", explain(region=explanation_pb2.RegionChoice(alpha=0.3))
    yield "invert", lambda stub: stub.InvertLayers(invert)
    yield "invert_again", lambda stub: stub.InvertLayers(invert)
    other = explanation_pb2.ExplainRequest(audio=audio, at_s=at_s + STEP_S / 2)
    yield "together", lambda stub: at_once(stub, other)


def at_once(stub: Stub, request: explanation_pb2.ExplainRequest) -> None:
    """Several callers ask the same."""
    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(stub.Explain, [request] * CALLERS))


def ratios(taken: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Of each step, remembering ÷ not, and milliseconds of both."""
    figures: dict[str, Any] = {}
    for name, of in taken.items():
        pairs = zip(of["remembering"], of["plain"], strict=True)
        figures[f"{name}_ratio"] = statistics.median(each / plain for each, plain in pairs)
        figures[f"{name}_ms"] = {which: statistics.median(seconds) * 1e3 for which, seconds in of.items()}
    return figures


def page_of(figures: dict[str, Any], names: list[str]) -> str:
    """The table of a page, with the processor."""
    rows = [
        (f"*{name}*", figures[f"{name}_ms"]["plain"], figures[f"{name}_ms"]["remembering"], figures[f"{name}_ratio"])
        for name in names
    ]
    where = f"{figures['machine']['processor']}, {figures['machine']['cores']} cores"
    kept = f"{figures['bytes_a_moment'] / 1e6:.1f} MB kept of each"
    said = f"On {where}, the median of {figures['moments']} moments; {kept}:"
    return f"{said}\n\n{table(('asked', 'ms without', 'ms with', 'ratio'), rows)}"


def seconds_of(ask: Callable[[Stub], object], stub: Stub) -> float:
    """How long one call takes."""
    began_s = time.perf_counter()
    ask(stub)
    return time.perf_counter() - began_s


def kept_bytes(metrics_address: str) -> float:
    """What the service keeps by now."""
    with urllib.request.urlopen(f"http://{metrics_address}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.removeprefix(KEPT_BYTES)) for line in lines if line.startswith(KEPT_BYTES))


if __name__ == "__main__":
    main()

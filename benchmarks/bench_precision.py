"""What the OpenVINO engine gains over that of ONNX Runtime, and what its precision costs in answers.

    explain_speedup   explanations per second over gRPC, 16 callers who ask again as soon as they are answered: OpenVINO
                      in the precision that this processor multiplies in (bfloat16, else float32) ÷ ONNX Runtime
    track_speedup     seconds of music per second over gRPC, one four-minute track as samples (`Predict`): likewise
    labels_changed    share of excerpts with another label in that precision; the worst of the corpora that are there
    loss_difference   how much oftener, or less often, a region alone keeps its label; likewise the worst. Both are
                      those of `phonoscope-train experiment precision`
    bfloat16_units, amx   whether the processor multiplies in bfloat16, and whether by matrix units (AMX)

`engines` holds every engine and precision, `speedup` and `answers` what they say of each. The services run at once,
each as a process on the same two cores, and are asked in turn, so that a round's figures see the same machine; each
figure is the median of the rounds' ratios. The processor stands beside them. `make bench-precision` runs this.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import phonoscope_client.demo
from machine import processor
from numpy.typing import NDArray
from phonoscope.v1 import audio_pb2, explainer_service_pb2_grpc, prediction_pb2
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.precision import PRECISIONS, Precision
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.openvino.processor import bfloat16_units, flags
from phonoscope_trainer.commands.experiments.precision import measured
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.experiments.explanation.precision import PrecisionOptions
from service_load import call_for, circumstances, one_excerpt, service, write

SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"
CORES = 2
CLIENTS = 16
CORPORA = ("mir1k", "real")
ONNX = "onnx"
MESSAGE = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5, help="of everything (default: %(default)s)")
    parser.add_argument(
        "--round-s", type=float, default=5.0, help="seconds of explanations, a round (default: %(default)s)"
    )
    parser.add_argument("--track-s", type=float, default=240.0, help="length of the track (default: %(default)s)")
    parser.add_argument("--excerpts", type=int, default=1000, help="of each corpus (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # and of all it starts
    precisions: tuple[Precision, ...] = PRECISIONS if bfloat16_units() else PRECISIONS[:1]
    asked = {ONNX: ["--engine", "onnx", "--device", "cpu"]}
    asked |= {str(each): ["--engine", "openvino", "--precision", each] for each in precisions}
    engines, speedup = measure(options, asked)
    show_speed(engines, speedup)  # the rest takes minutes
    there = [name for name in CORPORA if named.find(name)] or CORPORA[:1]
    compared = PrecisionOptions(excerpts=options.excerpts)
    answers: dict[str, Any] = measured(options.model_repository, there, precisions, compared, CORES)
    figures = figures_of(precisions[-1], engines, speedup, answers) | circumstances(
        load_bundle(options.model_repository)
    )
    figures["machine"] |= {"threads": CORES}
    figures["versions"]["openvino"] = openvino_version()
    write(figures, options.json)
    show(figures, options.json)


def figures_of(
    precision: str, engines: dict[str, Any], speedup: dict[str, Any], answers: dict[str, Any]
) -> dict[str, Any]:
    """The document, but for the circumstances."""
    return {
        "explain_speedup": speedup[precision]["explain"],
        "track_speedup": speedup[precision]["track"],
        "labels_changed": answers["worst"][precision]["labels_changed"],
        "loss_difference": answers["worst"][precision]["loss_difference"],
        "precision": precision,
        "bfloat16_units": bool(bfloat16_units()),
        "amx": "amx_bf16" in flags(),
        "units": sorted(bfloat16_units()),
        "speedup": speedup,
        "engines": engines,
        "answers": answers,
    }


def measure(options: argparse.Namespace, asked: dict[str, list[str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every engine's figures, and the ratios of those of OpenVINO to those of ONNX Runtime, round by round."""
    bundle = load_bundle(options.model_repository)
    _, explain = one_excerpt(bundle)
    rate_hz = bundle.default.front_end.sample_rate_hz
    song = np.resize(read_mono(SONG, rate_hz), round(options.track_s * rate_hz))
    per_s: dict[str, dict[str, list[float]]] = {name: {"explain": [], "track": []} for name in asked}
    with ExitStack() as running:
        addresses = {
            name: running.enter_context(service(options.model_repository, "--threads", str(CORES), *arguments))
            for name, arguments in asked.items()
        }
        for number in range(options.rounds + 1):
            print(f"round {number} of {options.rounds}" if number else "warming", file=sys.stderr)
            for name, address in addresses.items():
                for_s = options.round_s if number else 1.0
                answered = len(asyncio.run(call_for(address, explain, CLIENTS, for_s)))
                heard_s = seconds_of_track(address, song, rate_hz)
                if number:  # the first fills caches and compiles for these shapes
                    per_s[name]["explain"].append(answered / for_s)
                    per_s[name]["track"].append(options.track_s / heard_s)
    engines = {
        name: {
            "explanations_per_s": statistics.median(of["explain"]),
            "track_realtime_factor": statistics.median(of["track"]),
            "rounds": of,
        }
        for name, of in per_s.items()
    }
    speedup = {
        name: {kind: ratio(of[kind], per_s[ONNX][kind]) for kind in of} for name, of in per_s.items() if name != ONNX
    }
    return engines, speedup


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios: what slows a round slows both."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def seconds_of_track(address: str, samples: NDArray[np.float32], rate_hz: int) -> float:
    """How long a whole track's curve takes."""
    pcm = audio_pb2.PcmAudio(samples=samples.tobytes(), sample_rate_hz=rate_hz)
    request = prediction_pb2.PredictRequest(audio=audio_pb2.Audio(pcm=pcm))
    with grpc.insecure_channel(address, MESSAGE) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        began_s = time.perf_counter()
        stub.Predict(request)
        return time.perf_counter() - began_s


def openvino_version() -> str:
    """Of the library that is measured."""
    import openvino  # noqa: PLC0415 - an extra

    return str(openvino.__version__)


def show_speed(engines: dict[str, Any], speedup: dict[str, Any]) -> None:
    """A line for each engine, with the processor beside its figures."""
    for name, of in engines.items():
        times = speedup.get(name, {"explain": 1.0, "track": 1.0})
        print(
            f"{name:10} {of['explanations_per_s']:6.1f} explanations/s (x {times['explain']:.2f})   "
            f"track {of['track_realtime_factor']:6.0f} x real time (x {times['track']:.2f})   "
            f"on {processor()}, {CORES} cores",
            flush=True,
        )


def show(figures: dict[str, Any], path: Path) -> None:
    """What the precisions change in answers, and where the figures are."""
    for name, of in figures["answers"]["worst"].items():
        print(
            f"{name:10} labels changed {of['labels_changed']:.4f}   loss difference {of['loss_difference']:.4f}   "
            f"region IoU {of['region_iou']:.4f}   curve {of['curve_difference']:.5f}"
        )
    print(f"bfloat16 units: {', '.join(figures['units']) or 'none'}; AMX: {figures['amx']}. Figures: {path}")


if __name__ == "__main__":
    main()

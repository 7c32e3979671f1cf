"""How much faster all features of a layer are heard in one pass than one after another.

A clip of four seconds and the tagger's deepest layer, all of whose 64 features are made heard: samples to audio.

    speedup_over_one_at_a_time      seconds of eager PyTorch, asked for one feature after another, each time from the
                                    samples on ÷ seconds of the bundle's graphs, asked once for all
    speedup_over_a_shared_way_there the same against eager PyTorch that keeps activations and switches of the clip, and
                                    takes one feature after another back from there
    max_relative_difference         between the sounds, over the loudest sample

Eager PyTorch is written as it comes to mind: `max_pool2d` with indices, `max_unpool2d`, `conv_transpose2d`, `stft` and
`istft`. All have the same threads. They take turns, round by round, and the fastest round of each counts, as the one
that other work on the machine disturbed least; medians stand beside it. The tagger is untrained, which no time depends
on.
"""

from __future__ import annotations

import argparse
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
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.graphs.feature_pictures import tagger_pictures_graph
from phonoscope_trainer.graphs.resound import PHASE, tagger_sound_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.networks.tagger import MAPS, POOL, Tagger
from phonoscope_trainer.repository.models import write_graph
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

WINDOW = torch.hann_window(LINEAR_STFT.frame_samples)
SILENT_MAGNITUDE = 1e-7


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of each way (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    given = get_parser().parse_args()
    figures = measure(given.rounds, given.threads)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(
        f"{MAPS} features in one pass are heard {figures['speedup_over_one_at_a_time']:.2f} times as fast as one after"
        f" another, {figures['speedup_over_a_shared_way_there']:.2f} times as fast where those share the way there."
        f" Figures: {given.json}"
    )


@torch.inference_mode()
def measure(rounds: int, threads: int) -> dict[str, Any]:
    """All ways, in turn; the first round, which fills caches, is not counted."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = Tagger(3).eval().requires_grad_(requires_grad=False)
    samples = 0.1 * torch.randn(1, LINEAR_STFT.clip_samples)
    with tempfile.TemporaryDirectory() as folder:
        graphs = Graphs(network, Path(folder), threads)
    ways: dict[str, Callable[[], Any]] = {
        "one_pass": lambda: graphs.hear(samples.numpy()),
        "one_at_a_time": lambda: [one_feature(way_there(network, samples), each) for each in range(MAPS)],
        "shared_way_there": lambda: one_after_another(network, samples),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(1 + rounds), desc="listening", unit="round"):
        for name, way in ways.items():
            began_s = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - began_s)
    fastest = {name: min(each[1:]) for name, each in seconds.items()}
    expected = torch.cat(ways["shared_way_there"]()).numpy()
    return {
        "speedup_over_one_at_a_time": fastest["one_at_a_time"] / fastest["one_pass"],
        "speedup_over_a_shared_way_there": fastest["shared_way_there"] / fastest["one_pass"],
        "max_relative_difference": float(np.abs(ways["one_pass"]()[0] - expected).max() / np.abs(expected).max()),
        "features": MAPS,
        "fastest_s": fastest,
        "median_s": {name: statistics.median(each[1:]) for name, each in seconds.items()},
        "threads": threads,
        "machine": machine(),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


class Graphs:
    """The bundle's graphs, asked for all features of the deepest layer."""

    def __init__(self, network: Tagger, folder: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # as the service has it
        described = (
            tagger_frontend_graph(LinearStft()),
            tagger_pictures_graph(network, ("ballad", "dance", "hip-hop")),
            tagger_sound_graph(LINEAR_STFT),
        )
        sessions = []
        for graph in described:
            write_graph(graph, folder)
            path = str(folder / graph.name / "1" / "model.onnx")
            sessions.append(onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
        self._frontend, self._deconvnet, self._resound = sessions
        self._rows = {
            "layer": np.full((1, MAPS), len(network.layers) - 1, np.int32),
            "feature": np.arange(MAPS, dtype=np.int32)[None],
            "strongest_only": np.zeros((1, 1), np.int32),
        }

    def hear(self, samples: np.ndarray[Any, np.dtype[np.float32]]) -> Any:  # noqa: ANN401 - ONNX Runtime's own type
        """`[1, 64, N]` what the features hear of `samples` `[1, N]`."""
        spectrum, magnitude = self._frontend.run(None, {"samples": samples})
        (heard,) = self._deconvnet.run(["heard"], {"picture": magnitude, **self._rows})
        resynthesis = np.array([[PHASE]], np.int32)
        return self._resound.run(None, {"spectrum": spectrum, "heard": heard, "resynthesis": resynthesis})[0]


def way_there(network: Tagger, samples: Tensor) -> tuple[Tensor, Tensor, list[tuple[Tensor, Tensor, torch.Size]]]:
    """Spectrum, deepest maps, and of each layer its kernels, switches and size before the pool."""
    spectrum = torch.stft(
        samples,
        LINEAR_STFT.frame_samples,
        LINEAR_STFT.hop_samples,
        window=WINDOW,
        pad_mode="constant",
        return_complex=True,
    )
    maps, passed = spectrum.abs().transpose(1, 2).unsqueeze(1) * LINEAR_STFT.gain, []
    for name in network.layers:
        convolution = network.get_submodule(name)
        assert isinstance(convolution, torch.nn.Conv2d)
        maps = F.relu(convolution(maps))
        size = maps.shape[2:]
        maps, switches = F.max_pool2d(maps, POOL, return_indices=True)
        passed.append((convolution.weight, switches, size))
    return spectrum, maps, passed


def one_feature(there: tuple[Tensor, Tensor, list[tuple[Tensor, Tensor, torch.Size]]], feature: int) -> Tensor:
    """`[1, N]` what one feature of the deepest layer hears."""
    spectrum, maps, passed = there
    signal = torch.zeros_like(maps)
    signal[:, feature] = maps[:, feature]
    for weight, switches, size in reversed(passed):
        signal = F.relu(F.max_unpool2d(signal, switches, (POOL, POOL), output_size=size))
        signal = F.conv_transpose2d(signal, weight, padding=1)
    magnitude = torch.clamp(spectrum.abs(), min=SILENT_MAGNITUDE)
    return torch.istft(
        spectrum * signal[:, 0].transpose(1, 2) / (magnitude * LINEAR_STFT.gain),
        LINEAR_STFT.frame_samples,
        LINEAR_STFT.hop_samples,
        window=WINDOW,
        length=LINEAR_STFT.clip_samples,
    )


def one_after_another(network: Tagger, samples: Tensor) -> list[Tensor]:
    """What each feature of the deepest layer hears, from one way there."""
    there = way_there(network, samples)
    return [one_feature(there, each) for each in range(MAPS)]


if __name__ == "__main__":
    main()

"""What training all feature inverters side by side saves, and what gRPC costs where every layer is inverted.

    joint_over_sequential      seconds of one run of the eight inverters side by side ÷ seconds of eight runs of one
                               inverter each: same recipe, same batches, same updates; the median over rounds, in each
                               of which both take their turn
    detector_passes_per_batch  whole passes of the detector in the run side by side ÷ batches it drew, those of
                               validation included; counted by the detector itself
    grpc_over_engine           see inversion_service.py

A run of one inverter does what it must: it draws the batch, and one pass of the detector gives it both its layer's
activation and the comparator's. The music is noise and the networks are untrained, which no time depends on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import inversion_service
import numpy as np
import torch
from machine import machine
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from phonoscope_trainer.recipes.feature_inversion.excerpts import PlaceSampler, pieces
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.feature_inversion.training import train_inverters
from torch import Tensor
from tqdm import tqdm

TRACK_FRAMES = 2000


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, metavar="DIR", help="(default: the one that ships)")
    parser.add_argument("--rounds", type=int, default=7, help="counted runs each way (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=3, help="of each run (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="excerpts in each (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    given = get_parser().parse_args()
    figures = measure_training(given.rounds, given.batches, given.batch, given.threads)
    figures |= inversion_service.measure(given.model_repository)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(
        f"Eight inverters side by side take {figures['joint_over_sequential']:.2f} of the time of one after another;"
        f" gRPC, {figures['grpc_over_engine']:.2f} times the bare engine. Figures: {given.json}"
    )


class CountingDetector(SVDNet):
    """A detector that counts its whole passes."""

    passes = 0

    def activations(self, excerpt: Tensor) -> dict[str, Tensor]:
        """Every layer, and one more pass."""
        self.passes += 1
        return super().activations(excerpt)


def measure_training(rounds: int, batches: int, batch: int, threads: int) -> dict[str, Any]:
    """Both ways to train, in turn; the first round, which fills caches, is not counted.

    Returns:
        `joint_over_sequential`, `detector_passes_per_batch`, the seconds behind them, and what they depend on.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = CountingDetector().eval()
    options = InversionOptions(
        epochs=1, batches_per_epoch=batches, batch=batch, wide_rows=batch, validation_excerpts=batch
    )
    joint_s, sequential_s, passes = [], [], []
    for _ in tqdm(range(1 + rounds), desc="training", unit="round"):
        network.passes = 0
        joint_s.append(run_s(network, options, LAYERS))
        passes.append(network.passes / (batches + 1))
        sequential_s.append(sum(run_s(network, options, (layer,)) for layer in LAYERS))
    return {
        "joint_over_sequential": statistics.median(
            joint / sequential for joint, sequential in zip(joint_s[1:], sequential_s[1:], strict=True)
        ),
        "detector_passes_per_batch": max(passes),
        "joint_s": joint_s[1:],
        "sequential_s": sequential_s[1:],
        "training": {"batches": batches, "batch": batch, "method": "joint", "threads": threads},
        "trainer": machine() | {"torch": torch.__version__},
    }


def run_s(network: SVDNet, options: InversionOptions, layers: Sequence[str]) -> float:
    """How long one run takes, from drawing its validation excerpts to its last checkpoint."""
    noise = np.random.default_rng(0).random((1, TRACK_FRAMES, FRONTEND.bins), np.float32).astype(np.float16)
    track = Track("noise", "noise", "train", (), mixture=Path("noise.wav"))
    tracks = [Features(track, noise, np.zeros(TRACK_FRAMES, bool))]
    sampler = PlaceSampler([tracks], Frontend(FRONTEND), Standardise(torch.zeros(80), torch.ones(80)))
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        train_inverters(
            Path(folder),
            lambda step: sampler.draw(options.batch, step),
            pieces([tracks], sampler.frontend, sampler.standardise, options.sketch_pieces),
            sampler.draw(options.validation_excerpts, 1, 0),
            network,
            replace(options, layers=tuple(layers)),
        )
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()

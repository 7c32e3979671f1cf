"""What the modern recipe's training step gains over a plain PyTorch loop of the same step, on the CPU.

Both sides train the same network (batch normalisation, dropout, AdamW) on the same excerpts with the same targets and
do one whole update: forward, loss, backward, optimiser. They take turns, in one process, with the same threads.

    plain   every excerpt on its own, 115 frames each, in contiguous float32; the layers are PyTorch's own modules. The
            better of one batch of all excerpts and gradients gathered over batches of 32, which fit the caches
    ours    the recipe's own update: overlapping excerpts share their convolutions, channels last, bfloat16 activations

    speedup_over_plain     plain_s / ours_s, medians
    speedup_in_float32     the same without bfloat16, where both sides' gradients agree to rounding
    decomposition          seconds of a step with the recipe's means added one after the other
    speedup_of_kept_memory a step of ours in a process that gives memory back as soon as it is free ÷ one in a process
                           that keeps it, as `phonoscope-train` does; all other figures are of the latter
    gradient_difference    norm of the difference of both sides' gradients over the norm of the plain ones: dropout off
                           and batch normalisation fixed, which excerpts that share frames would see differently
    data_wait_share, cpu_utilisation    of a short real run of the recipe, drawing and varying its excerpts meanwhile;
                           from that run's own log
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, Frontend
from phonoscope_trainer.memory import keep_freed
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, DROPOUT, FC7_INPUT, FRAMES_PER_STEP, LEAKY_SLOPE, SVDNet
from phonoscope_trainer.recipes.detector import training
from phonoscope_trainer.recipes.detector.excerpts import ExcerptSampler
from phonoscope_trainer.recipes.detector.modern import DetectorOptions, new_learner, train_detector
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

SMALL_BATCH = 32
PACKAGES = ("torch", "numpy")
STANDARDISE = Standardise(torch.zeros(80), torch.ones(80))


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--rounds", type=int, default=5, help="counted steps each way (default: %(default)s)")
    parser.add_argument("--updates", type=int, default=40, help="of the short real run (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="measure the compiled network as well")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    given = get_parser().parse_args()
    torch.set_num_threads(given.threads)
    options = DetectorOptions(device="cpu", threads=given.threads, updates=10_000)
    rows, labels = batch(options)
    each_way = ways(options, rows, labels, compiled=given.compile)
    given_back_s = measure({"ours": each_way["ours"]}, given.rounds)["ours"]
    keep_freed()
    seconds = measure(each_way, given.rounds)
    plain_s = min(seconds["plain, one batch"], seconds[f"plain, batches of {SMALL_BATCH}"])
    ours_s = seconds["ours"]
    figures = {
        "speedup_over_plain": plain_s / ours_s,
        "speedup_in_float32": plain_s / seconds["shared convolutions, channels last"],
        "speedup_of_kept_memory": given_back_s / ours_s,
        "plain_s": plain_s,
        "ours_s": ours_s,
        "decomposition": seconds,
        "excerpts_of_a_step": labels.numel(),
        "excerpts_per_s": {"plain": labels.numel() / plain_s, "ours": labels.numel() / ours_s},
        "gradient_difference": gradient_difference(options, rows, labels),
        "rounds": given.rounds,
        **real_run(replace(options, updates=given.updates)),
        "machine": machine() | {"threads": given.threads},
        "versions": {"python": platform.python_version()} | {p: importlib.metadata.version(p) for p in PACKAGES},
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"A step on {labels.numel()} excerpts takes {ours_s:.2f} s, the plain one {plain_s:.2f} s.")
    print(f"A run waits {figures['data_wait_share']:.1%} of its time for data. Figures: {given.json}")


def batch(options: DetectorOptions) -> training.Batch:
    """Rows `[B, T, M]` of noise and labels `[B, S]`, of the recipe's size; a step's cost does not depend on them."""
    generator = torch.Generator().manual_seed(0)
    size = options.excerpts
    rows = torch.randn(size.rows, size.frames, 80, generator=generator)
    return rows, (torch.rand(size.rows, size.excerpts_per_row, generator=generator) < 0.5).float()


def separate(rows: Tensor, labels: Tensor) -> training.Batch:
    """The same excerpts, each on its own: `[B·S, 115, M]` and `[B·S, 1]`."""
    excerpts = rows.unfold(1, EXCERPT_FRAMES, FRAMES_PER_STEP).transpose(2, 3)
    return excerpts.flatten(0, 1).contiguous(), labels.flatten()[:, None]


def plain_network() -> nn.Sequential:
    """SVDNet as one would write it down, its weights in the same order as the recipe's network has them."""

    def block(name: str) -> list[nn.Module]:
        inputs, outputs = CONVOLUTIONS[name]
        return [nn.Conv2d(inputs, outputs, 3), nn.BatchNorm2d(outputs), nn.LeakyReLU(LEAKY_SLOPE)]

    return nn.Sequential(
        *(*block("conv1"), *block("conv2"), nn.MaxPool2d(3)),
        *(*block("conv4"), *block("conv5"), nn.MaxPool2d(3)),
        *(nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(int(np.prod(FC7_INPUT)), 256), nn.LeakyReLU(LEAKY_SLOPE)),
        *(nn.Dropout(DROPOUT), nn.Linear(256, 64), nn.LeakyReLU(LEAKY_SLOPE)),
        *(nn.Dropout(DROPOUT), nn.Linear(64, 1)),
    )


def plain_loss(network: nn.Sequential, excerpts: Tensor, labels: Tensor) -> Tensor:
    """The recipe's loss, `[]`."""
    targets = training.TARGET_FLOOR + training.TARGET_RANGE * labels
    return F.binary_cross_entropy_with_logits(network(excerpts.unsqueeze(1)), targets)


def plain_step(options: DetectorOptions, rows: Tensor, labels: Tensor, size: int) -> Callable[[], None]:
    """An update of the plain loop, its gradients gathered over batches of `size` excerpts."""
    network = plain_network().train()
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    excerpts, targets = separate(rows, labels)

    def step() -> None:
        optimiser.zero_grad()
        for part, wanted in zip(excerpts.split(size), targets.split(size), strict=True):
            loss = plain_loss(network, part, wanted) * (len(part) / len(excerpts))
            loss.backward()
        optimiser.step()

    return step


def our_step(
    options: DetectorOptions, rows: Tensor, labels: Tensor, memory_format: torch.memory_format
) -> Callable[[], None]:
    """The recipe's own update, with `memory_format` for its weights."""
    learner = new_learner(STANDARDISE, options)
    learner.network.to(memory_format=memory_format)  # type: ignore[call-overload]  # torch's stub omits this form
    forward: training.Forward = torch.compile(learner.network) if options.compiled else learner.network

    def step() -> None:
        training.update(learner, forward, (rows, labels), options, 0)

    return step


def ways(options: DetectorOptions, rows: Tensor, labels: Tensor, *, compiled: bool) -> dict[str, Callable[[], None]]:
    """Every way to make the step, by name."""
    exact, last, contiguous = replace(options, bfloat16=False), torch.channels_last, torch.contiguous_format
    chosen = {
        "plain, one batch": plain_step(options, rows, labels, labels.numel()),
        f"plain, batches of {SMALL_BATCH}": plain_step(options, rows, labels, SMALL_BATCH),
        "shared convolutions": our_step(exact, rows, labels, contiguous),
        "shared convolutions, channels last": our_step(exact, rows, labels, last),
        "ours": our_step(options, rows, labels, last),
    }
    if compiled:
        chosen["ours, compiled"] = our_step(replace(options, compiled=True), rows, labels, last)
    return chosen


def measure(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each; all in turn, and a first round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for counted in tqdm(range(rounds + 1), desc="rounds", unit="round"):
        for name, step in steps.items():
            began_s = time.perf_counter()
            step()
            if counted:
                seconds[name].append(time.perf_counter() - began_s)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def gradient_difference(options: DetectorOptions, rows: Tensor, labels: Tensor) -> dict[str, float]:
    """Relative difference of the gradients of the same weights, at the precision of each way."""
    torch.manual_seed(options.seed)
    shared, plain = SVDNet(batch_norm=True).eval(), plain_network().eval()
    plain.load_state_dict(dict(zip(plain.state_dict(), shared.state_dict().values(), strict=True)))
    expected = _gradient(plain, plain_loss(plain, *separate(rows, labels)))
    targets = training.TARGET_FLOOR + training.TARGET_RANGE * labels
    differences = {}
    for name, bfloat16 in (("float32", False), ("bfloat16", True)):
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = shared(rows).float()
        found = _gradient(shared, F.binary_cross_entropy_with_logits(logits, targets))
        differences[name] = float((found - expected).norm() / expected.norm())
    return differences


def _gradient(network: nn.Module, loss: Tensor) -> Tensor:
    """All gradients in one vector."""
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(network.parameters()))])


def real_run(options: DetectorOptions) -> dict[str, Any]:
    """Shares of time from the log of a short run on tracks of noise with stems; its first reading is left out."""
    rng = np.random.default_rng(0)
    place = Path("unread")  # the features below are all that is read of a track
    track = Track("noise", "noise", "train", (), voice=place, accompaniment=place)
    tracks = [
        Features(track, rng.random((3, 4000, 372), np.float32).astype(np.float16), rng.random(4000) < 0.5)
        for _ in range(4)
    ]
    sampler = ExcerptSampler([tracks], Frontend(), options.excerpts, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        train_detector(Path(folder), sampler.batch, STANDARDISE, options)
        log = EventAccumulator(folder).Reload()
        names = ("data_wait_share", "cpu_utilisation")
        return {name: statistics.mean([event.value for event in log.Scalars(name)][1:]) for name in names}


if __name__ == "__main__":
    main()

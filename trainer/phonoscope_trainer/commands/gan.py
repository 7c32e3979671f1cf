"""`phonoscope-train gan`: train the generator that serves as a prior over music."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch

from phonoscope_trainer.commands.options import Verbs, add_fields, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.networks.gan import KERNELS
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.devices import chosen_device
from phonoscope_trainer.recipes.gan import training as recipe
from phonoscope_trainer.recipes.gan.excerpts import LogMelBank
from phonoscope_trainer.recipes.gan.judge import GeneratorJudge
from phonoscope_trainer.recipes.gan.options import GanOptions

DEFAULTS = GanOptions()
JUDGE_SEED = 1  # what training draws begins with the run's own seed and the step


def add(verbs: Verbs) -> None:
    """`gan`: train it."""
    gan = verbs.add_parser("gan", help="train the generator that activation maximisation searches through")
    gan.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run; resumed if it exists")
    gan.add_argument("--detector", type=Path, required=True, help="run of the detector whose ears judge the generator")
    gan.add_argument("--corpora", type=names, help="comma-separated, labels unused (default: the detector's)")
    gan.add_argument(
        "--kernels", choices=KERNELS, default=DEFAULTS.kernels, help="5x5: a third of the work (default %(default)s)"
    )
    add_fields(
        gan,
        DEFAULTS,
        {
            "iterations": "updates of the generator",
            "critic_updates": "of the critic before each",
            "batch": "excerpts in each update",
            "learning_rate": "of the generator",
            "critic_learning_rate": "of the critic",
            "penalty_weight": "of the gradient penalty",
            "averaging": "keep a running mean of the generator's weights with this decay; 0: the last weights",
            "judge_every": "iterations between Fréchet distances and sample sheets in the log",
            "judged_excerpts": "real and generated each",
            "checkpoint_every": "iterations",
            "seed": "of everything drawn",
        },
    )
    gan.add_argument("--bfloat16", action="store_true", help="activations in bfloat16: half the time")
    gan.add_argument("--captured", action="store_true", help="an iteration as one CUDA graph, on a GPU")
    gan.add_argument("--device", choices=("auto", "cpu", "cuda"), default=DEFAULTS.device, help="(default %(default)s)")
    add_threads(gan)
    gan.set_defaults(run=train_gan)


def train_gan(
    folder: Path, detector: Path, corpora: Sequence[str] | None, threads: int, **others: int | float | str
) -> None:
    """Train the generator on the detector's music, or on any other."""
    torch.set_num_threads(threads)
    chosen = tuple(corpora or checkpoint.options(detector)["corpora"])
    options = GanOptions(
        detector=str(detector),
        corpora=chosen,
        **cast("dict[str, Any]", others),  # argparse gave them the types of the recipe's options
    )
    frontend, device = Frontend(FRONTEND), chosen_device(options.device)
    banks = {
        split: LogMelBank(
            [features(named.load(name).of(split), frontend, bar(f"{name}, {split}")) for name in chosen],
            frontend,
            device,
        )
        for split in ("train", "valid")
    }
    held_out = banks.pop("valid").draw(options.judged_excerpts, JUDGE_SEED)
    judge = GeneratorJudge(held_out, *load_detector(detector), JUDGE_SEED)
    music = banks["train"]
    excerpts = options.critic_updates * options.batch
    recipe.train_gan(folder, lambda step: music.draw(excerpts, options.seed, step), music.mean(), judge, options)

"""Trains the generator that serves as a prior over music (Mishra et al. 2019, section 3.3).

What an iteration does depends on options, seed and step alone, so a run that was killed resumes to the same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.devices import chosen_device
from phonoscope_trainer.recipes.gan.captured import CapturedIteration
from phonoscope_trainer.recipes.gan.judge import GeneratorJudge
from phonoscope_trainer.recipes.gan.learner import TERMS, Draw, GanLearner
from phonoscope_trainer.recipes.gan.options import GanOptions

LOG_EVERY = 10  # iterations


def train_gan(
    folder: Path, draw: Callable[[int], Tensor], mean_log_mel: float, judge: GeneratorJudge, options: GanOptions
) -> Generator:
    """Train, or resume, the run in `folder`; the generator that it keeps, in evaluation mode, on the CPU.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th iteration's log-mels, `[options.critic_updates · options.batch, 115, 80]`.
        mean_log_mel: of the music; where the untrained generator begins.
        judge: measures the generator every so often.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options.
        OptionsError: the device asked for is not there, or CUDA graphs are, without a GPU.
    """
    device = chosen_device(options.device)
    if options.captured and device.type != "cuda":
        raise OptionsError("captured: CUDA graphs need a GPU; leave it out on a CPU")
    state = checkpoint.open_run(folder, options)
    learner = GanLearner(options, device, mean_log_mel)
    iterate = CapturedIteration(learner).iterate if options.captured else learner.iterate
    first = 0
    if state is not None:
        learner.restore(state)
        first = int(state["step"])
    bar = tqdm(total=options.iterations, initial=first, desc="gan", unit="iteration", smoothing=0.05)
    with SummaryWriter(str(folder), purge_step=first) as log, bar:
        if not first:
            log.add_image("music", judge.real_sheet)
        for step in range(first, options.iterations):
            terms = iterate(Draw.of(draw(step).to(learner.device), step, options))
            bar.update()
            done, last = step + 1, step + 1 == options.iterations
            if done % LOG_EVERY == 0:
                for name, value in zip(TERMS, terms.tolist(), strict=True):
                    log.add_scalar(f"training/{name}", value, step)
            if done % options.judge_every == 0 or last:
                judged = judge.judge(learner.average)
                for name, value in judged.items():
                    log.add_scalar(f"judged/{name}", value, step)
                log.add_image("generated", judge.sheet(learner.average), step)
                bar.set_postfix(judged)
            if done % options.checkpoint_every == 0 or last:
                checkpoint.save(folder, learner.state() | {"step": done})
    return load_generator(folder)


def load_generator(folder: Path) -> Generator:
    """The generator that a run keeps, or kept at its last checkpoint, in evaluation mode.

    Raises:
        CheckpointError: the folder holds no readable run.
    """
    generator = Generator(checkpoint.options(folder)["kernels"])
    generator.load_state_dict(checkpoint.load(folder)["average"])
    return generator.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]  # torch's stub omits it

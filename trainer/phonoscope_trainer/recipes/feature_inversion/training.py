"""Trains the inverters of all layers side by side, in one pass over the music (Mishra et al., ISMIR 2018, section 3.3).

For every batch the detector runs once; its activations are what the inverters start from, and one of them, the
comparator's, is what their inversions are compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.networks.feature_inverters import FeatureInverter
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import same_layer
from phonoscope_trainer.recipes.feature_inversion.learner import InverterLearner
from phonoscope_trainer.recipes.feature_inversion.objective import Heard, Method, hear
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.feature_inversion.ridge import linear_inverters
from phonoscope_trainer.recipes.precision import activations


def train_inverters(
    folder: Path,
    draw: Callable[[int], Tensor],
    pieces: Iterable[Tensor],
    validation: Tensor,
    network: SVDNet,
    options: InversionOptions,
) -> dict[Method, tuple[FeatureInverter, ...]]:
    """Train, or resume, the run in `folder`; the inverters of each method, in evaluation mode.

    Args:
        folder: the run: options, checkpoint and TensorBoard log.
        draw: the step-th batch of standardised excerpts, `[options.batch, 115, 80]`.
        pieces: batches of longer standardised pieces, `[B, T, 80]`, to compute sketches from where a run begins.
        validation: `[N, 115, 80]` excerpts on which an inverter's best epoch is chosen.
        network: the detector; its weights stay as they are.
        options: everything else.

    Raises:
        CheckpointError: `folder` holds a run with other options, or the run to start from lacks one of the inverters.
    """
    state = checkpoint.open_run(folder, options)
    network.eval().requires_grad_(requires_grad=False)
    torch.manual_seed(options.seed)
    learners = [InverterLearner(layer, method, options) for method in options.methods for layer in options.layers]
    first = _restore(learners, state) if state else _begin(learners, pieces, validation, network, options)
    bar = tqdm(total=options.batches, initial=first * options.batches_per_epoch, desc="inverters", unit="batch")
    with SummaryWriter(str(folder), purge_step=first) as log, bar:
        for epoch in range(first, options.epochs):
            for step in range(epoch * options.batches_per_epoch, (epoch + 1) * options.batches_per_epoch):
                heard = _heard(draw(step), network, options)
                for learner in learners:
                    for part in heard.parts(*options.updates_per_batch(learner.layer)):
                        learner.update(part, network)
                bar.update()
            _validate(learners, validation, network, options)
            for learner in learners:
                for name, value in learner.end_epoch().items():
                    log.add_scalar(f"{learner.name}/{name}", value, epoch)
            checkpoint.save(folder, {each.name: each.state() for each in learners} | {"epoch": epoch + 1})
    return {
        method: tuple(each.best_inverter() for each in learners if each.method == method) for method in options.methods
    }


def load_inverters(*folders: Path, method: Method = "joint") -> tuple[FeatureInverter, ...]:
    """The inverters of some runs, each at its best epoch, in the order of the detector's layers.

    Of a layer that several runs have, the last one's is taken. All must invert the detector of the last run, or one
    whose layer is the same.

    Raises:
        CheckpointError: a folder holds no readable run, or none of that method, or inverts another detector.
    """
    found: dict[str, FeatureInverter] = {}
    inverts: dict[str, tuple[Path, str]] = {}
    for folder in folders:
        options, state = checkpoint.options(folder), checkpoint.load(folder)
        if method not in options["methods"]:
            raise CheckpointError(
                f"{folder}: method {method} was not trained there; it has {', '.join(options['methods'])}"
            )
        for layer in options["layers"]:
            inverts[layer] = (folder, options["detector"])
            found[layer] = FeatureInverter(layer, options["variant"])
            found[layer].load_state_dict(state[f"{method}/{layer}"]["best"])
    detector = checkpoint.options(folders[-1])["detector"]
    for layer, (folder, inverted) in inverts.items():
        if not same_layer(layer, Path(inverted), Path(detector)):
            raise CheckpointError(f"{folder} inverts {layer} of {inverted}, {folders[-1]} inverts {detector}")
    return tuple(found[layer].eval() for layer in LAYERS if layer in found)


def _heard(excerpts: Tensor, network: SVDNet, options: InversionOptions) -> Heard:
    with activations(torch.device("cpu"), bfloat16=options.bfloat16):
        return hear(excerpts, network)


def _validate(
    learners: Sequence[InverterLearner], validation: Tensor, network: SVDNet, options: InversionOptions
) -> None:
    for excerpts in validation.split(options.batch):
        heard = _heard(excerpts, network, options)
        for learner in learners:
            learner.validate(heard, network)


def _begin(
    learners: Sequence[InverterLearner],
    pieces: Iterable[Tensor],
    validation: Tensor,
    network: SVDNet,
    options: InversionOptions,
) -> int:
    """Give each its first weights, from the run to start from or a ridge regression; the first epoch, 0."""
    started = set(_start(learners, Path(options.start), options)) if options.start else set()
    sketched = [each for each in learners if each.inverter.sketch is not None and each.name not in started]
    if sketched:
        linear = linear_inverters(pieces, network, tuple(dict.fromkeys(each.layer for each in sketched)))
        ridges = {each.layer: each for each in linear}
        for learner in sketched:
            learner.sketch(ridges[learner.layer])
        _validate(sketched, validation, network, options)
        for learner in sketched:
            learner.keep_best()  # training may fail to better what has a closed form
    return 0


def _start(learners: Sequence[InverterLearner], folder: Path, options: InversionOptions) -> Iterator[str]:
    """Take over what the run in `folder` has; the names of those that did.

    Where it has one method alone, the other's inverters start from that. A sketch belongs to one detector: of another
    one's, or of none, nothing is taken over.
    """
    before, state = checkpoint.options(folder), checkpoint.load(folder)
    known = {name.partition("/")[2]: each for name, each in state.items() if "/" in name}
    has_sketches = before["variant"] == options.variant and before["detector"] == options.detector
    for learner in learners:
        if learner.layer not in known:
            raise CheckpointError(f"{folder} holds no {learner.name} to start from")
        if learner.inverter.sketch is None or has_sketches:
            learner.inverter.load_state_dict(state.get(learner.name, known[learner.layer])["best"])
            yield learner.name


def _restore(learners: Sequence[InverterLearner], state: dict[str, Any]) -> int:
    for learner in learners:
        learner.restore(state[learner.name])
    return int(state["epoch"])

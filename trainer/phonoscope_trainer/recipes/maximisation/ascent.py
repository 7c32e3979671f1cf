"""Gradient ascent to what a unit wants: through the generator's z by the exported graph, or straight on the log-mel.

A trajectory is read at every number of steps asked for: 100 and 500 steps are prefixes of 1000. What is read is where a
row stands after so many steps, as in the paper, not the best point on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.graphs.maximise import AdamOptions, initial_state, maximise_graph
from phonoscope_trainer.graphs.response import Response as GraphResponse
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.maximisation.response import Response
from phonoscope_trainer.repository.models import VERSION, write_graph

Floats = NDArray[np.float32]
Progress = Callable[[int], object]  # told how many steps were made

FREE_AT_ONCE = (
    8  # excerpts without a prior that are maximised together: their activations stay in the processor's cache
)


@dataclass(frozen=True, slots=True)
class Setting:
    """How rows are maximised."""

    learning_rate: float
    prior_weight: float  # λ
    sign: int  # 1: the response is maximised, -1: minimised


@dataclass(frozen=True, slots=True)
class Reading:
    """Where all rows of a trajectory stand after some steps."""

    steps: int
    points: Floats  # [N, 128] z
    responses: Floats  # [N]


class Maximiser(Protocol):
    """A maximiser."""

    def __call__(
        self, z: Floats, setting: Setting, steps: Sequence[int], progress: Progress | None = None
    ) -> list[Reading]:
        """From `z` `[N, 128]` uphill; where all rows stand after each number of `steps`, which increase."""


class LatentMaximiser:
    """The exported maximiser, on as many rows as are given."""

    def __init__(
        self,
        generator: Generator,
        standardise: Standardise,
        network: SVDNet,
        response: Response,
        adam: AdamOptions,
        folder: Path,
        threads: int,
    ) -> None:
        """Writes the graph into `folder` and loads it."""
        graph = maximise_graph(GraphResponse(generator, standardise, network), adam)
        write_graph(graph, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(
            folder / graph.name / VERSION / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self.weights, self.position = response.weights, np.array(response.position, np.int32)
        self.outputs = [output.name for output in self.session.get_outputs()]

    def __call__(
        self, z: Floats, setting: Setting, steps: Sequence[int], progress: Progress | None = None
    ) -> list[Reading]:
        """From `z` `[N, 128]`, read after each number of `steps`, which increase."""
        rows = len(z)
        state: dict[str, NDArray[Any]] = {
            name: part.numpy() for name, part in initial_state(torch.from_numpy(z)).items()
        }
        settings: dict[str, NDArray[Any]] = {
            "learning_rate": np.full((rows, 1), setting.learning_rate, np.float32),
            "prior_weight": np.full((rows, 1), setting.prior_weight, np.float32),
            "sign": np.full((rows, 1), setting.sign, np.float32),
            "weights": np.repeat(self.weights[None], rows, axis=0),
            "position": np.repeat(self.position[None], rows, axis=0),
        }
        readings = []
        for budget in steps:
            settings["steps"] = np.full((rows, 1), budget, np.int32)
            while (state["evaluated_step"] < budget).any():
                before = int(state["step"].min())
                found = dict(zip(self.outputs, self.session.run(None, {**state, **settings}), strict=True))
                state = {name: found[f"next_{name}"] for name in state}
                if progress:
                    progress(int(state["step"].min()) - before)
            readings.append(Reading(budget, state["z"], state["response"][:, 0]))
        return readings


def maximise_input(
    log_mel: Tensor,
    network: SVDNet,
    standardise: Standardise,
    response: Response,
    setting: Setting,
    steps: int,
    adam: AdamOptions,
) -> tuple[Tensor, Floats]:
    """Activation maximisation without a prior: every bin is free (Erhan et al. 2009; 2019, Eq. 1).

    Args:
        log_mel: `[N, 115, 80]`, where it begins.
        network: the detector.
        standardise: its band statistics.
        response: what is maximised.
        setting: learning rate and sign; there is no z whose prior could count.
        steps: updates by the same Adam.
        adam: its constants.

    Returns:
        `[N, 115, 80]` log-mels, and their responses `[N]`.
    """
    parts = []
    for part in tqdm(log_mel.split(FREE_AT_ONCE), desc="without a prior", unit="group"):
        reached = part.detach().clone().requires_grad_()
        optimiser = torch.optim.Adam([reached], setting.learning_rate, (adam.beta1, adam.beta2), adam.epsilon)
        for _ in range(steps):
            responses = response.of(network, standardise(reached))
            (uphill,) = torch.autograd.grad(setting.sign * responses.sum(), reached)
            reached.grad = -uphill
            optimiser.step()
        parts.append(reached.detach())
    with torch.no_grad():
        return torch.cat(parts), torch.cat([response.of(network, standardise(part)) for part in parts]).numpy()

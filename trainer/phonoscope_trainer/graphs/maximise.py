"""`maximise` and `generate`: what a unit, a layer or any weighted sum of units wants to hear (Mishra et al. 2019).

`maximise` increases the objective of Eq. 2 for every row by itself:

    sign · response(z) + λ · log p(z),   log p(z) = −½‖z‖² without its constant

The response is a weighted sum of the detector's units, before any sigmoid, for the generator's output at z,
standardised. One call makes up to `steps_per_call` steps of Adam; rows of different requests share a call. Every tensor
has the batch axis first and is float32 unless stated.

A row's state goes in, and comes out with `next_` before its name. It begins with a standard normal z, and for the
rest as `INITIAL` says:

    z [128]                    where the row is
    first_moment [128]         Adam's, before bias correction
    second_moment [128]        likewise
    step int32 [1]             updates made so far
    evaluated_step int32 [1]   the step at which z was evaluated last
    response [1]               found there
    prior [1]                  log p(z) there
    best_z [128]               where the objective was largest so far
    best_objective [1]         how large

A row's settings:

    steps int32 [1]            updates to make in all; may be raised later, and the row goes on
    learning_rate [1]
    prior_weight [1]           λ
    sign [1]                   1 to maximise, -1 to minimise: the response only, never the prior
    weights [705]              of all channels of all layers: conv1, conv2, mp3, conv4, conv5, mp6, fc7, fc8, logit
    position int32 [2]         frame and band in the maps of those before fc7; -1, -1: their mean

Each step evaluates z, notes it if it is the best so far, and moves it unless the budget is spent. A row is done once
`next_evaluated_step` is `steps`; then `next_response` and `next_prior` are those of `next_z`. A row that is done stays
as it is, whatever else is in the batch, and a call ends early as soon as another row is done, so that its place can be
taken. A row of no steps is a point evaluated.

`generate` is the generator by itself: `z [128]` to `log_mel [115, 80]` and `standardised`, as the detector is given it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from phonoscope_trainer.graphs.chains import generator_chain
from phonoscope_trainer.graphs.description import Graph, TensorSpec, maps, numbers
from phonoscope_trainer.graphs.response import Response
from phonoscope_trainer.networks.gan import LATENT, Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet


@dataclass(frozen=True, slots=True)
class AdamOptions:
    """How the objective is increased; the authors' code has a `beta1` of .9 where the paper has .99."""

    beta1: float = 0.99
    beta2: float = 0.999
    epsilon: float = 1e-8
    steps_per_call: int = 10


PAPER_ADAM = AdamOptions()


class Responding(Protocol):
    """A network that is asked, as a function of z."""

    @property
    def widths(self) -> Mapping[str, int]:
        """Layer → channels, in the order of the weights."""

    def with_gradient(self, z: Tensor, weights: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """The response `[B, 1]` to `z` `[B, 128]` and its gradient `[B, 128]`; see `Response`."""


class MaximiseStep(nn.Module):
    """One step of every row."""

    def __init__(self, response: Responding, adam: AdamOptions = PAPER_ADAM) -> None:
        super().__init__()
        self.response, self.adam = response, adam

    def forward(
        self,
        z: Tensor,
        first_moment: Tensor,
        second_moment: Tensor,
        step: Tensor,
        evaluated_step: Tensor,
        response: Tensor,
        prior: Tensor,
        best_z: Tensor,
        best_objective: Tensor,
        steps: Tensor,
        learning_rate: Tensor,
        prior_weight: Tensor,
        sign: Tensor,
        weights: Tensor,
        position: Tensor,
    ) -> tuple[Tensor, ...]:
        """The state after the step, in the order of the arguments, and whether a row can go on and none became done."""
        adam = self.adam
        response, slope = self.response.with_gradient(z, weights, position)
        prior = log_prior(z)
        objective = sign * response + prior_weight * prior
        better = objective > best_objective
        uphill = sign * slope - prior_weight * z

        moving = step < steps
        first = adam.beta1 * first_moment + (1 - adam.beta1) * uphill
        second = adam.beta2 * second_moment + (1 - adam.beta2) * uphill * uphill
        count = (step + 1).to(z.dtype)
        corrected = first / (1 - torch.pow(adam.beta1, count))
        spread = torch.sqrt(second / (1 - torch.pow(adam.beta2, count))) + adam.epsilon
        just_done = (evaluated_step < steps) & (step >= steps)
        return (
            torch.where(moving, z + learning_rate * corrected / spread, z),
            torch.where(moving, first, first_moment),
            torch.where(moving, second, second_moment),
            step + moving.to(step.dtype),
            step + 0,
            response,
            prior,
            torch.where(better, z, best_z),
            torch.maximum(objective, best_objective),
            moving.any() & torch.logical_not(just_done.any()),
        )


class Generate(nn.Module):
    """`generate`: what points of the prior are as spectrograms."""

    def __init__(self, generator: Generator, standardise: Standardise) -> None:
        super().__init__()
        self.prior = generator_chain(generator, standardise)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """`log_mel` and `standardised`, both `[B, 115, 80]`, of `z` `[B, 128]`."""
        made = self.prior(z)
        return made["log_mel"][:, 0], made["standardised"][:, 0]


def log_prior(z: Tensor) -> Tensor:
    """Logarithm of p(z) `[B, 1]` of `z` `[B, 128]`, standard normal, without its constant."""
    return -0.5 * torch.sum(z * z, dim=1, keepdim=True)


STATE = (
    TensorSpec("z", (LATENT,)),
    TensorSpec("first_moment", (LATENT,)),
    TensorSpec("second_moment", (LATENT,)),
    TensorSpec("step", (1,), "int32"),
    TensorSpec("evaluated_step", (1,), "int32"),
    *numbers("response", "prior"),
    TensorSpec("best_z", (LATENT,)),
    *numbers("best_objective"),
)
INITIAL: Mapping[str, float] = {  # what fills each part of a row's state but z before the first step
    "first_moment": 0,
    "second_moment": 0,
    "step": 0,
    "evaluated_step": -1,  # nothing has been evaluated
    "response": 0,
    "prior": 0,
    "best_z": 0,
    "best_objective": -3e38,  # below any objective
}
INITIAL_STATE = ",".join(f"{name}:{value:g}" for name, value in INITIAL.items())  # as a configuration says it
SETTINGS = (TensorSpec("steps", (1,), "int32"), *numbers("learning_rate", "prior_weight", "sign"))
POSITION = TensorSpec("position", (2,), "int32")


def initial_state(z: Tensor) -> dict[str, Tensor]:
    """The state of rows that begin at `z` `[B, 128]`, by the names of the inputs and in their order."""
    types = {"int32": torch.int32, "float32": z.dtype}
    return {
        spec.name: z
        if spec.name == "z"
        else torch.full((len(z), *spec.dims), INITIAL[spec.name], dtype=types[spec.type], device=z.device)
        for spec in STATE
    }


def maximise_graphs(
    generator: Generator, standardise: Standardise, network: SVDNet, adam: AdamOptions = PAPER_ADAM
) -> tuple[Graph, Graph]:
    """The descriptions of `maximise` and `generate`; all networks in evaluation mode."""
    return (
        maximise_graph(Response(generator, standardise, network), adam),
        generate_graph(Generate(generator, standardise)),
    )


def maximise_graph(response: Responding, adam: AdamOptions = PAPER_ADAM) -> Graph:
    """The description of `maximise` for a response."""
    weights = TensorSpec("weights", (sum(response.widths.values()),))
    inputs = (*STATE, *SETTINGS, weights, POSITION)
    channels = ",".join(f"{layer}:{width}" for layer, width in response.widths.items())
    return Graph(
        "maximise",
        MaximiseStep(response, adam),
        inputs,
        tuple(replace(spec, name=f"next_{spec.name}") for spec in STATE),
        tuple(_example(spec) for spec in inputs),
        # What serving must know: each layer's name and channels, in the order of `weights`; what a row begins with.
        parameters={
            "channels": channels,
            "initial_state": INITIAL_STATE,
            "steps_per_call": str(adam.steps_per_call),
        },
        iterations=adam.steps_per_call,
    )


def generate_graph(generate: nn.Module) -> Graph:
    """The description of `generate`."""
    return Graph(
        "generate", generate, (TensorSpec("z", (LATENT,)),), maps("log_mel", "standardised"), (torch.zeros(2, LATENT),)
    )


def _example(spec: TensorSpec) -> Tensor:
    return torch.zeros(2, *spec.dims, dtype=torch.int32 if spec.type == "int32" else torch.float32)

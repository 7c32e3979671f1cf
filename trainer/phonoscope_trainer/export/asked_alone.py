"""Golden vectors of graphs that are asked by themselves: pictures made sound, and one call of `maximise`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.description import Graph, alone
from phonoscope_trainer.graphs.griffin_lim import griffin_lim_graph
from phonoscope_trainer.graphs.maximise import POSITION, initial_state
from phonoscope_trainer.graphs.sonify import sonify_graph
from phonoscope_trainer.networks.gan import LATENT
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.repository.golden import Arrays, read_golden
from phonoscope_trainer.repository.shipped_graphs import session_of, standardise_of

STEPS = 3  # of `maximise`: enough for every part of its state to have moved
LEARNING_RATE, PRIOR_WEIGHT = 0.05, 0.01
SEED = 2019


def golden_sonify(samples: Tensor, frontend: Frontend, standardise: Standardise) -> dict[str, Tensor]:
    """Each of some excerpts `[B, N]` with the picture of another, as an inversion is another picture."""
    return {"samples": samples, "standardised": standardise(frontend(samples)).flip(0)}


def golden_griffin_lim(samples: Tensor, frontend: Frontend) -> dict[str, Tensor]:
    """The picture of an excerpt, whose sound `[B, N]` is where the search begins.

    From noise the search may end elsewhere on another processor; from there it stays near.
    """
    return {"log_mel": frontend(samples[:1]), "audio": samples[:1]}


def golden_maximise(channels: int) -> dict[str, Tensor]:
    """Two rows, up and down, of a weighted sum of all `channels`, whose means over their maps are taken."""
    random = torch.Generator().manual_seed(SEED)
    up_and_down = torch.tensor([[1.0], [-1.0]])
    rows = len(up_and_down)
    return {
        **initial_state(torch.randn(rows, LATENT, generator=random)),
        "steps": torch.full((rows, 1), STEPS, dtype=torch.int32),
        "learning_rate": torch.full((rows, 1), LEARNING_RATE),
        "prior_weight": torch.full((rows, 1), PRIOR_WEIGHT),
        "sign": up_and_down,
        "weights": torch.randn(rows, channels, generator=random),
        "position": torch.full((rows, *POSITION.dims), -1, dtype=torch.int32),
    }


@torch.inference_mode()
def golden_again(root: Path) -> Arrays:
    """Those of the graphs that a bundle has, from the bundle alone.

    What makes sound is computed in PyTorch. `maximise` holds settings that no other part of a bundle tells: its own
    file answers, which is the file it was.
    """
    arrays, frontend, standardise = read_golden(root), Frontend(), standardise_of(root)
    samples = torch.from_numpy(arrays["explain_gradient.input.samples"])  # a rule that every bundle has
    made: Arrays = {}
    if (root / "sonify").is_dir():
        made |= _computed(sonify_graph(FRONTEND, standardise), golden_sonify(samples, frontend, standardise))
    if (root / "maximise").is_dir():
        made |= _computed(griffin_lim_graph(FRONTEND), golden_griffin_lim(samples, frontend))
        session = session_of(root, "maximise")
        channels = next(tensor.shape[1] for tensor in session.get_inputs() if tensor.name == "weights")
        inputs = {name: value.numpy() for name, value in golden_maximise(channels).items()}
        names = [tensor.name for tensor in session.get_outputs()]
        made |= _named("maximise", inputs, dict(zip(names, session.run(names, inputs), strict=True)))
    return made


def _computed(graph: Graph, inputs: Mapping[str, Tensor]) -> Arrays:
    outputs = compose.run(alone(graph), [graph], inputs)
    given, made = ({name: value.numpy() for name, value in each.items()} for each in (inputs, outputs))
    return _named(graph.name, given, made)


def _named(graph: str, inputs: Arrays, outputs: Arrays) -> Arrays:
    """By the names of golden vectors."""
    return {f"{graph}.input.{k}": v for k, v in inputs.items()} | {f"{graph}.output.{k}": v for k, v in outputs.items()}

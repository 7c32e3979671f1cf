"""Golden vectors of graphs that belong to no ensemble, against the graphs that ship."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.export.asked_alone import STEPS, golden_again
from phonoscope_trainer.export.maximisation import PUBLISHED, maximisation_part
from phonoscope_trainer.export.part import TrainedDetector
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.description import Graph, TensorSpec, alone
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.shipped_graphs import session_of
from support.bundles.repository import REPOSITORY
from support.corpora.music import melody
from torch import nn


class Halving(nn.Module):
    """Halves a number until it is at most one."""

    def forward(self, number: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return number / 2, (number > 2).any()


def halving(iterations: int) -> Graph:
    number = (TensorSpec("number", (1,)),), (TensorSpec("next_number", (1,)),)
    return Graph("halving", Halving(), *number, (torch.zeros(2, 1),), iterations=iterations)


@pytest.mark.parametrize(("iterations", "expected"), [(2, 2.5), (9, 0.625)])
def test_a_graph_that_repeats_its_module_goes_on_until_it_is_done(iterations, expected):
    graph = halving(iterations)
    made = compose.run(alone(graph), [graph], {"number": torch.tensor([[10.0]])})
    assert made["next_number"].item() == expected


@pytest.fixture(scope="module")
def again():
    return golden_again(REPOSITORY)


@pytest.mark.parametrize("graph", ["sonify", "griffin_lim"])
def test_shipped_graphs_make_the_sound_that_is_computed_for_them(again, graph):
    session = session_of(REPOSITORY, graph)
    inputs = {tensor.name: again[f"{graph}.input.{tensor.name}"] for tensor in session.get_inputs()}
    for tensor, made in zip(session.get_outputs(), session.run(None, inputs), strict=True):
        expected = again[f"{graph}.output.{tensor.name}"]
        assert np.abs(made - expected).mean() < 1e-3 * np.abs(expected).mean()


def test_one_call_of_maximise_moves_every_part_of_the_state(again):
    assert (again["maximise.output.next_step"] == STEPS).all()
    assert (again["maximise.output.next_evaluated_step"] == STEPS).all()
    for part in ("z", "first_moment", "second_moment", "best_z"):
        assert (again[f"maximise.output.next_{part}"] != again[f"maximise.input.{part}"]).any(axis=1).all()
    assert np.isfinite(again["maximise.output.next_best_objective"]).all()


def test_an_export_asks_maximise_what_a_bundle_asks_its_own(again):
    """The inputs alone are compared: the networks here are untrained."""
    sound = torch.from_numpy(melody(5, 1))
    standardise = Standardise(torch.zeros(80), torch.ones(80))
    detector = TrainedDetector(Frontend(), standardise, SVDNet().eval(), 0.5, (), sound)
    part = maximisation_part(Generator("5x5").eval(), detector, PUBLISHED)
    for name, value in part.golden["maximise"].items():
        np.testing.assert_array_equal(value.numpy(), again[f"maximise.input.{name}"])
    graph = next(graph for graph in part.graphs if graph.name == "maximise")
    made = compose.run(alone(graph), [graph], part.golden["maximise"])
    assert (made["next_step"] == STEPS).all()
    assert part.golden["griffin_lim"].keys() == {spec.name for spec in part.graphs[2].inputs}

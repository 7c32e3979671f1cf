"""The ridge behind sketches: against a slow one, on one pass over music, and as what training begins from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.experiments.inversion.structure import time_pattern
from phonoscope_trainer.export.recovery import _has_sketch, _inverter
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.graphs.inverters import Inverters, inverter_graphs
from phonoscope_trainer.networks.feature_inverters import FeatureInverter, trainable_parameters
from phonoscope_trainer.networks.sketch import COSINES, Sketch, cosines, unrectified
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.feature_inversion.excerpts import PIECE_FRAMES, pieces
from phonoscope_trainer.recipes.feature_inversion.objective import hear, objective, row_weights
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions
from phonoscope_trainer.recipes.feature_inversion.ridge import LEVEL_SHARE, LinearInverter, RidgeSums, linear_inverters
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters, train_inverters
from phonoscope_trainer.repository.models import write_graph
from support.corpora.features import noise_track

PLAIN = Standardise(torch.zeros(80), torch.ones(80))
SHORT = InversionOptions(
    layers=("fc8",), epochs=1, batches_per_epoch=1, batch=3, wide_rows=3, bfloat16=False, detector="detector"
)


def excerpts(rows: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    level = torch.randn(rows, 1, 1, generator=generator)
    return level + torch.randn(rows, 115, 80, generator=generator)


def draw(step: int) -> torch.Tensor:
    return excerpts(3, step)


def music(batches: int = 3) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    return [torch.randn(2, 133, 80, generator=generator) for _ in range(batches)]


@pytest.fixture(scope="module")
def network() -> SVDNet:
    torch.manual_seed(0)
    return SVDNet().eval().requires_grad_(requires_grad=False)


def ridge_by_definition(features: np.ndarray, pictures: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias as the normal equations of weighted, centred and scaled features have them."""
    share = 1 / np.maximum(np.linalg.norm(pictures, axis=1), 10)
    share /= share.sum()
    mean, middle = share @ features, share @ pictures
    scale = np.sqrt(share @ (features - mean) ** 2)
    z = (features - mean) / scale
    root = np.sqrt(share)[:, None]
    stacked = np.concatenate([root * z, np.sqrt(penalty) * np.eye(z.shape[1])])
    wanted = np.concatenate([root * (pictures - middle), np.zeros((z.shape[1], pictures.shape[1]))])
    weights = np.linalg.lstsq(stacked, wanted, rcond=None)[0] / scale[:, None]
    return weights, middle - mean @ weights


def test_sums_added_batch_by_batch_give_the_ridge_of_all_excerpts():
    generator = torch.Generator().manual_seed(0)
    sums, features, pictures = RidgeSums(5), torch.randn(40, 5, generator=generator), excerpts(40, 1)
    for rows in torch.arange(40).split(9):
        sums.add(features[rows], pictures[rows])
    weights, bias = ridge_by_definition(features.double().numpy(), pictures.double().flatten(1).numpy(), 0.3)
    found, constant = sums.solve(1.0, 0.3)
    np.testing.assert_allclose(found.flatten(1), weights, atol=1e-4)
    np.testing.assert_allclose(constant.flatten(), bias, atol=1e-4)


def test_of_the_level_a_share_is_believed_and_the_mean_excerpts_stands_for_the_rest():
    generator = torch.Generator().manual_seed(0)
    sums, features, pictures = RidgeSums(5), torch.randn(40, 5, generator=generator), excerpts(40, 1)
    sums.add(features, pictures)
    solved = [sums.solve(share) for share in (1.0, 0.25)]
    whole, part = (torch.tensordot(features, weights, dims=1) + bias for weights, bias in solved)
    expected = 0.25 * whole.mean(dim=(1, 2)) + 0.75 * pictures.mean()
    torch.testing.assert_close(part.mean(dim=(1, 2)), expected, atol=1e-4, rtol=1e-4)
    shape, kept = (each - each.mean(dim=(1, 2), keepdim=True) for each in (whole, part))
    torch.testing.assert_close(shape, kept, atol=1e-4, rtol=1e-4)


def test_features_before_the_rectifier_are_found_again():
    x = torch.linspace(-3, 3, 7)
    torch.testing.assert_close(unrectified(torch.nn.functional.leaky_relu(x, 0.01)), x)


def test_cosines_are_orthonormal_and_a_sketch_keeps_what_they_span():
    for count, size in zip(COSINES, (115, 80), strict=True):
        rows = cosines(count, size)
        torch.testing.assert_close(rows @ rows.T, torch.eye(count), atol=1e-5, rtol=0)
    sketch, slow = Sketch(1, 115, 80), cosines(5, 115)[4][:, None] * cosines(3, 80)[2]
    sketch.take_over(slow[None], 2 * slow)
    torch.testing.assert_close(sketch(torch.tensor([[3.0]]))[0], 5 * slow, atol=1e-5, rtol=0)


def test_one_pass_over_pieces_hears_every_excerpt_of_them_as_the_detector_does(network):
    found = linear_inverters(iter(music()), network, ("fc8",))[0]
    sums = RidgeSums(64)
    for piece in music():
        for first in (0, 9, 18):
            excerpt = piece[:, first : first + 115]
            sums.add(unrectified(network.activations(excerpt)["fc8"]), excerpt)
    alone = LinearInverter("fc8", *sums.solve(LEVEL_SHARE["fc8"]))
    activation = network.activations(music()[0][:, 9:124])["fc8"]
    other = network.activations(music()[1][:, 9:124])["fc8"]
    torch.testing.assert_close(found(activation), alone(activation), atol=0.02, rtol=0)  # few excerpts: hardly fixed
    assert (found(activation) - found(other)).abs().max() > 0.2


def test_pieces_leave_out_what_is_shorter():
    tracks = [[noise_track(PIECE_FRAMES + 30, 0), noise_track(120, 1)], [noise_track(130, 2)]]
    drawn = list(pieces(tracks, Frontend(), PLAIN, 20))
    assert [each.shape for each in drawn] == [(16, PIECE_FRAMES, 80)] * 2
    assert torch.equal(drawn[0], next(pieces(tracks, Frontend(), PLAIN, 20)))


# --- inverters with a sketch


def test_a_sketched_inverter_has_the_tables_parameters_and_begins_at_its_sketch(network):
    inverter = FeatureInverter("fc7", "sketched").eval()
    assert trainable_parameters(inverter) == 175_009
    linear = linear_inverters(music(), network, ("fc7",))[0]
    inverter.sketch.take_over(linear.pictures, linear.bias)
    activation = network.activations(excerpts(2, 0))["fc7"]
    torch.testing.assert_close(inverter(activation), inverter.sketch(activation))
    blurred = cosines(COSINES[0], 115) @ linear(activation) @ cosines(COSINES[1], 80).T
    shown = cosines(COSINES[0], 115) @ inverter(activation) @ cosines(COSINES[1], 80).T
    torch.testing.assert_close(shown, blurred, atol=1e-3, rtol=1e-3)


def test_its_network_leaves_the_level_to_the_sketch():
    torch.manual_seed(0)
    inverter = FeatureInverter("fc8", "sketched").eval()
    torch.nn.init.normal_(inverter.stages[-1].weight)
    shown = inverter(torch.randn(3, 64))
    assert shown.std() > 0
    torch.testing.assert_close(shown.mean(dim=(1, 2)), torch.zeros(3), atol=1e-5, rtol=0)


def test_layers_with_positions_have_no_sketch():
    assert FeatureInverter("mp6", "sketched").sketch is None


def test_excerpts_count_by_one_over_their_norm(network):
    heard, inverted = hear(draw(0) * torch.tensor([1.0, 3.0, 0.0])[:, None, None], network), draw(1)
    rows = row_weights(heard.excerpts)
    alone = [objective(inverted[[i]], next(heard.parts(i + 1, 1)), network, "conv5", (1.0, 0.0)) for i in range(1)]
    norms = heard.excerpts.flatten(1).norm(dim=1)
    torch.testing.assert_close(rows, 1 / norms.clamp(min=10))
    squares = ((heard.excerpts - inverted) ** 2).sum(dim=(1, 2))
    found = objective(inverted, heard, network, "conv5", (1.0, 0.0), rows)
    torch.testing.assert_close(found, (rows * squares).sum() / rows.sum())
    torch.testing.assert_close(alone[0], squares[0])


def test_a_run_begins_at_the_ridge_and_keeps_it_where_training_does_not_help(tmp_path, network):
    options = replace(SHORT, learning_rate=10.0)  # which helps nobody
    (inverter,) = train_inverters(tmp_path, draw, iter(music()), excerpts(4, 99), network, options)["joint"]
    ridge = FeatureInverter("fc8", "sketched").eval()
    linear = linear_inverters(music(), network, ("fc8",))[0]
    ridge.sketch.take_over(linear.pictures, linear.bias)
    features = torch.randn(2, 64)
    torch.testing.assert_close(inverter(features), ridge(features))
    (loaded,) = load_inverters(tmp_path)
    torch.testing.assert_close(loaded(features), ridge(features))


def test_a_sketch_is_taken_over_from_a_run_of_the_same_detector_alone(tmp_path, network):
    short = replace(SHORT, learning_rate=1e-12)
    (first,) = train_inverters(tmp_path / "first", draw, music(), excerpts(4, 99), network, short)["joint"]
    going_on = replace(short, start=str(tmp_path / "first"))
    (second,) = train_inverters(tmp_path / "second", draw, [], excerpts(4, 99), network, going_on)["joint"]
    assert torch.equal(first.sketch.weight, second.sketch.weight)
    other = replace(going_on, detector="another")
    (third,) = train_inverters(tmp_path / "third", draw, music(2), excerpts(4, 99), network, other)["joint"]
    assert not torch.equal(first.sketch.weight, third.sketch.weight)


def test_a_method_starts_from_the_other_where_that_was_trained_alone(tmp_path, network):
    short = replace(SHORT, layers=("mp6",), learning_rate=1e-12)
    (first,) = train_inverters(tmp_path / "first", draw, (), excerpts(4, 99), network, short)["joint"]
    both = replace(short, methods=("joint", "input"), start=str(tmp_path / "first"))
    found = train_inverters(tmp_path / "both", draw, (), excerpts(4, 99), network, both)
    for method in ("joint", "input"):
        for one, other in zip(first.parameters(), found[method][0].parameters(), strict=True):
            torch.testing.assert_close(one, other)
    with pytest.raises(CheckpointError, match="joint/conv5"):
        train_inverters(
            tmp_path / "third", draw, (), excerpts(4, 99), network, replace(both, methods=("joint",), layers=("conv5",))
        )


def test_a_sketch_is_recovered_from_its_graph(tmp_path, network):
    torch.manual_seed(0)
    inverter = FeatureInverter("fc8", "sketched").eval()
    torch.nn.init.normal_(inverter.stages[-1].weight)
    inverter.sketch.weight.normal_()
    inverter.sketch.bias.normal_()
    for graph in inverter_graphs(Inverters((inverter,), 90.0), network):
        write_graph(graph, tmp_path)
    assert _has_sketch(tmp_path, "fc8")
    again = FeatureInverter("fc8", "sketched")
    again.load_state_dict(_inverter(tmp_path, "fc8", "sketched"))
    features = network.activations(excerpts(2, 0))["fc8"]
    torch.testing.assert_close(again.eval()(features), inverter(features), atol=1e-4, rtol=1e-4)


# --- the pattern in time


def test_the_time_pattern_is_the_correlation_of_what_differs_from_each_bands_mean():
    one, other = (excerpts(3, seed).double().numpy() for seed in (0, 1))
    expected = []
    for pair in zip(one, other, strict=True):
        x, y = ((each - each.mean(axis=0)).ravel() for each in pair)
        expected.append(np.corrcoef(x, y)[0, 1])
    np.testing.assert_allclose(time_pattern(one, other), expected)
    np.testing.assert_allclose(time_pattern(one, 3 * one + np.arange(80)), 1)
    assert np.all(time_pattern(one, np.repeat(one[:, :1], 115, axis=1)) == 0)

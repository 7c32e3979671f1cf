"""The maximiser against its definition: float64, torch's own differentiation, torch's own Adam."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from phonoscope_trainer.graphs.adjoint import Chain, Convolution, Dense, Pool, Reshape
from phonoscope_trainer.graphs.maximise import AdamOptions, MaximiseStep, initial_state, log_prior, maximise_graphs
from phonoscope_trainer.graphs.response import UNITS, Response
from phonoscope_trainer.networks.gan import LOG_FLOOR, Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.repository.models import write_graph
from torch import nn
from torch.nn import functional as F

WIDTHS = {"conv1": 64, "conv2": 32, "mp3": 32, "conv4": 128, "conv5": 64, "mp6": 64, "fc7": 256, "fc8": 64, "logit": 1}
EVERYWHERE = (-1, -1)
# Terms of a response: (layer, channel or None for all, weight), and a position.
RESPONSES = {
    "the output unit": ([("logit", 0, 1.0)], EVERYWHERE),
    "a unit of FC7": ([("fc7", 17, 1.0)], EVERYWHERE),
    "the mean of FC8": ([("fc8", None, 1 / 64)], EVERYWHERE),
    "a channel of Conv2": ([("conv2", 5, 1.0)], EVERYWHERE),
    "the mean of Conv1": ([("conv1", None, 1 / 64)], EVERYWHERE),
    "one place of Conv4": ([("conv4", 100, 1.0)], (20, 11)),
    "the last place of MP6": ([("mp6", 3, 1.0)], (10, 6)),
    "units of several layers": (
        [("conv1", 3, 2.0), ("mp3", 1, -1.0), ("conv5", None, 0.125), ("fc7", 9, 0.5), ("logit", 0, 0.25)],
        EVERYWHERE,
    ),
}


def networks(kernels="5x5", level=LOG_FLOOR + 0.02, spread=0.2, gain=3.0):
    """Networks with random weights; at the usual level the generator makes bins below its floor and bins above."""
    torch.manual_seed(7)
    generator, detector = Generator(kernels), SVDNet()
    with torch.no_grad():
        for layer in (*generator.doublings, generator.last):
            layer.weight.mul_(gain)
            layer.bias.normal_(0, 0.1)
        generator.last.bias.fill_(level)
        for layer in detector.children():
            layer.bias.normal_(0, 0.1)
    standardise = Standardise(torch.linspace(level - 0.1, level + 0.5, 80), torch.linspace(spread / 2, spread, 80))
    return [network.eval().requires_grad_(False) for network in (generator, standardise, detector)]


def well_conditioned():
    """Log-mels as music has them, far above the floor: float32 resolves what the detector compares."""
    return networks(level=-2.0, spread=1.0, gain=1.0)


def weights_of(terms):
    parts = {name: torch.zeros(WIDTHS[name]) for name in UNITS}
    for layer, channel, weight in terms:
        parts[layer][slice(None) if channel is None else channel] = weight
    return torch.cat(list(parts.values()))


def by_definition(z, terms, position, generator, standardise, detector):
    """The response of one row `[128]`."""
    found = detector.activations(standardise(generator(z[None])))
    response = 0.0
    for layer, channel, weight in terms:
        values = found[layer][0]
        if values.ndim == 3:
            values = values.mean(dim=(1, 2)) if position == EVERYWHERE else values[:, position[0], position[1]]
        response = response + weight * (values.sum() if channel is None else values[channel])
    return response


@pytest.mark.parametrize("kernels", ["5x5", "paper"])
def test_the_gradient_of_every_kind_of_response_is_that_of_automatic_differentiation(kernels):
    made = [network.double() for network in networks(kernels)]
    response = Response(*made).double()
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(len(RESPONSES), 128, dtype=torch.float64, generator=generator)
    weights = torch.stack([weights_of(terms) for terms, _ in RESPONSES.values()]).double()
    positions = torch.tensor([position for _, position in RESPONSES.values()], dtype=torch.int32)
    found, slopes = response.with_gradient(z, weights, positions)
    share_at_floor = (made[0](z) <= LOG_FLOOR).double().mean()
    assert 0.05 < share_at_floor < 0.95
    for row, (terms, position) in enumerate(RESPONSES.values()):
        at = z[row].clone().requires_grad_(True)
        expected = by_definition(at, terms, position, *made)
        (slope,) = torch.autograd.grad(expected, at)
        assert found[row, 0] == pytest.approx(expected.item(), rel=1e-9)
        torch.testing.assert_close(slopes[row], slope, rtol=1e-7, atol=1e-10 * float(slope.abs().max()))


def test_a_new_network_needs_no_adjoint_of_its_own():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, (5, 3), padding=(2, 1)), nn.Conv2d(6, 4, 3), nn.Linear(4 * 5 * 7, 3)]
    chain = Chain(
        {
            "first": Convolution(layers[0].weight, layers[0].bias, 0.3, (2, 1)),
            "pooled": Pool(6, 2),
            "second": Convolution(layers[1].weight, layers[1].bias),
            "flat": Reshape((4 * 5 * 7,)),
            "last": Dense(layers[2], 0.1),
        }
    ).double()
    first, second, last = (layer.double() for layer in layers)
    x = torch.randn(2, 1, 15, 19, dtype=torch.float64, requires_grad=True)
    pooled = F.max_pool2d(F.leaky_relu(first(x), 0.3), 2)
    expected = F.leaky_relu(last(second(pooled).flatten(1)), 0.1)
    seeds = {"last": torch.randn(2, 3, dtype=torch.float64), "pooled": torch.randn(2, 6, 7, 9, dtype=torch.float64)}
    (slope,) = torch.autograd.grad((expected * seeds["last"]).sum() + (pooled * seeds["pooled"]).sum(), x)
    with torch.no_grad():
        found = chain(x)
        torch.testing.assert_close(found["last"], expected)
        torch.testing.assert_close(chain.gradient(found, seeds), slope)


def rows(z, **settings):
    """The state of rows that begin at `z` `[B, 128]`, and their settings: the arguments of a step but the weights."""
    count = len(z)

    def column(value, dtype=torch.float32):
        return torch.as_tensor(value, dtype=dtype).reshape(-1, 1).expand(count, 1).contiguous()

    given = {"steps": 5, "learning_rate": 0.01, "prior_weight": 0.01, "sign": 1.0} | settings
    return {
        **initial_state(z),
        "steps": column(given["steps"], torch.int32),
        **{name: column(given[name], z.dtype) for name in ("learning_rate", "prior_weight", "sign")},
    }


def asked(weights, count):
    """What `count` rows are asked: the means of maps."""
    position = torch.tensor([EVERYWHERE] * count, dtype=torch.int32)
    return {"weights": weights.expand(count, -1).contiguous(), "position": position}


def ascended(step, state, weights, iterations):
    """What one call of the graph does, in PyTorch."""
    names = [*state][:9]
    for _ in range(iterations):
        *values, go_on = step(*state.values(), *asked(weights, len(state["z"])).values())
        state = state | dict(zip(names, values, strict=True))
        if not go_on:
            break
    return state


def trajectory(z, options, made, steps, learning_rate, prior_weight, sign):
    """Points, responses and objectives of Eq. 2 by torch's own Adam, the start first."""
    generator, standardise, detector = made
    at = z.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([at], learning_rate, (options.beta1, options.beta2), options.epsilon)
    points, responses, objectives = [], [], []
    for _ in range(steps + 1):
        response = detector(standardise(generator(at))).sum()
        objective = sign * response + prior_weight * log_prior(at).sum()
        points.append(at.detach().clone())
        responses.append(response.item())
        objectives.append(objective.item())
        optimiser.zero_grad()
        (-objective).backward()
        optimiser.step()
    return points, responses, objectives


@pytest.mark.parametrize("options", [AdamOptions(), AdamOptions(beta1=0.9)], ids=["the paper's Adam", "the code's"])
def test_rows_of_different_settings_each_go_the_way_of_adam(options):
    made = [network.double() for network in networks()]
    step = MaximiseStep(Response(*made), options).double()
    z = torch.randn(3, 128, dtype=torch.float64)
    settings = {
        "steps": [4, 1, 3],
        "learning_rate": [0.1, 0.01, 0.05],
        "prior_weight": [0.01, 0.1, 0.0],
        "sign": [1, -1, -1],
    }
    weights = weights_of([("logit", 0, 1.0)]).double()
    state = rows(z, **settings)
    for _ in range(3):  # ends early whenever a row is done
        state = ascended(step, state, weights, 10)
    for row in range(3):
        chosen = {name: values[row] for name, values in settings.items()}
        points, responses, objectives = trajectory(z[row : row + 1], options, made, **chosen)
        torch.testing.assert_close(state["z"][row], points[-1][0], rtol=1e-9, atol=1e-9)
        assert state["response"][row, 0] == pytest.approx(responses[-1], rel=1e-9)
        assert state["prior"][row, 0] == pytest.approx(log_prior(points[-1]).item())
        best = int(np.argmax(objectives))
        assert state["best_objective"][row, 0] == pytest.approx(objectives[best], rel=1e-9)
        torch.testing.assert_close(state["best_z"][row], points[best][0], rtol=1e-9, atol=1e-9)
        assert state["step"][row] == state["evaluated_step"][row] == chosen["steps"]


def test_a_budget_that_is_raised_goes_on_where_it_was():
    step = MaximiseStep(Response(*networks())).double()
    z, weights = (
        torch.randn(2, 128, dtype=torch.float64),
        weights_of([("logit", 0, 1.0)]).double(),
    )
    short = ascended(step, rows(z, steps=3), weights, 10)
    raised = ascended(step, short | {"steps": torch.full((2, 1), 7, dtype=torch.int32)}, weights, 10)
    at_once = ascended(step, rows(z, steps=7), weights, 10)
    for name in ("z", "response", "best_objective", "step"):
        torch.testing.assert_close(raised[name], at_once[name])


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """The exported graphs, and the modules they were exported from."""
    root = tmp_path_factory.mktemp("repository")
    graphs = {graph.name: graph for graph in maximise_graphs(*well_conditioned(), AdamOptions(steps_per_call=4))}
    for graph in graphs.values():
        write_graph(graph, root)
    return {
        name: (
            onnxruntime.InferenceSession(root / name / "1" / "model.onnx", providers=["CPUExecutionProvider"]),
            graph,
        )
        for name, graph in graphs.items()
    }


def call(session, inputs):
    made = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return {output.name: torch.from_numpy(value) for output, value in zip(session.get_outputs(), made, strict=True)}


def test_the_exported_graph_goes_the_way_of_the_module(sessions):
    session, graph = sessions["maximise"]
    weights = weights_of([("fc7", 2, 1.0), ("logit", 0, 1.0), ("conv2", 4, 3.0)])
    z = torch.randn(3, 128, generator=torch.Generator().manual_seed(3))
    inputs = rows(z, steps=[9, 3, 20]) | asked(weights, 3)
    expected, names = inputs, [*inputs][:9]
    for _ in range(graph.iterations):  # as many as the shortest budget needs
        *values, go_on = graph.module(*expected.values())
        expected = expected | dict(zip(names, values, strict=True))
        if not go_on:
            break
    made = call(session, inputs)
    assert made["next_evaluated_step"].flatten().tolist() == [3, 3, 3]
    for each in names:
        # Rounding puts a unit of thousands on the other side of its kink, where its slope is another.
        largest = float(expected[each].abs().max())
        torch.testing.assert_close(made[f"next_{each}"], expected[each], rtol=0, atol=0.01 * largest)


def test_serving_is_told_what_a_row_begins_with(sessions):
    """Every input but z that comes out again, each filled with one number."""
    session, graph = sessions["maximise"]
    told = dict(part.split(":") for part in graph.parameters["initial_state"].split(","))
    carried = {output.name.removeprefix("next_") for output in session.get_outputs()}
    assert told.keys() == carried - {"z"}
    z = torch.randn(2, 128)
    begins = initial_state(z)
    assert begins["z"] is z
    for spec in graph.inputs:
        if spec.name in told:
            filled = torch.full((2, *spec.dims), float(told[spec.name]), dtype=getattr(torch, spec.type))
            torch.testing.assert_close(begins[spec.name], filled, rtol=0, atol=0)
    assert float(told["best_objective"]) < -1e38
    assert np.isfinite(np.float32(told["best_objective"]))


def test_a_row_that_is_done_stays_as_it_is_and_holds_nobody_up(sessions):
    session, _ = sessions["maximise"]
    state = rows(torch.randn(2, 128), steps=[2, 12]) | asked(weights_of([("logit", 0, 1.0)]), 2)
    for _ in range(4):
        made = call(session, state)
        state = state | {name.removeprefix("next_"): value for name, value in made.items()}
        if state["evaluated_step"][0] == 2:
            done = {name: value[0] for name, value in state.items()}
            break
    evaluated = []
    while state["evaluated_step"][1] < 12:
        made = call(session, state)
        state = state | {name.removeprefix("next_"): value for name, value in made.items()}
        evaluated.append(int(state["evaluated_step"][1]))
    assert evaluated == [6, 10, 12]  # four steps a call
    for name, value in done.items():
        torch.testing.assert_close(state[name][0], value, rtol=1e-5, atol=1e-5)


def test_a_row_of_no_steps_is_a_point_evaluated(sessions):
    session, _ = sessions["maximise"]
    made = well_conditioned()
    z = torch.randn(2, 128)
    terms, position = RESPONSES["one place of Conv4"]
    inputs = rows(z, steps=0) | asked(weights_of(terms), 2) | {"position": torch.tensor([position] * 2).int()}
    found = call(session, inputs)
    for row in range(2):
        expected = by_definition(z[row], terms, position, *made)
        assert found["next_response"][row, 0].item() == pytest.approx(expected.item(), rel=1e-3)
    torch.testing.assert_close(found["next_prior"], log_prior(z))
    torch.testing.assert_close(found["next_z"], z)


def test_points_become_spectrograms_as_the_networks_make_them(sessions):
    session, _ = sessions["generate"]
    generator, standardise, _ = well_conditioned()
    z = torch.randn(2, 128)
    made = call(session, {"z": z})
    torch.testing.assert_close(made["log_mel"], generator(z), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(made["standardised"], standardise(generator(z)), rtol=1e-4, atol=1e-4)

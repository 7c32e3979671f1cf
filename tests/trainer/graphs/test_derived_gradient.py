"""Derived gradients against automatic differentiation in double precision, in PyTorch and in ONNX Runtime."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.derived_gradient import derived_gradient, derived_rule_graph
from phonoscope_trainer.graphs.gradient import smoothed
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger
from phonoscope_trainer.repository.models import write_graph
from phonoscope_trainer.repository.tensorrt import NO_KERNEL
from torch import nn


class Picture(nn.Module):
    """A chain for `[B, T, F]`."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x.unsqueeze(1))


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


def of_many_layers() -> tuple[nn.Module, tuple[int, int]]:
    """Everything that pools and convolves oddly: strides, dilation, groups, overlapping and padded pools."""
    layers = (
        nn.BatchNorm2d(1),
        nn.Conv2d(1, 6, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(6),
        nn.MaxPool2d((4, 1), (2, 2)),
        Residual(nn.Sequential(nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=3), nn.ELU())),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(6, 8, 3, stride=2),
        nn.GELU(),
        nn.AvgPool2d(2, 1),
        nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.Sigmoid(),
    )
    return Picture(*layers), (61, 40)


def shuffled(network: nn.Module) -> nn.Module:
    """Statistics as if it had been trained."""
    torch.manual_seed(3)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            layer.weight.data.uniform_(0.5, 2)
            layer.bias.data.normal_()
    return network.eval()


def networks():
    torch.manual_seed(0)
    tagger = Tagger(3).eval()
    nn.init.normal_(tagger.get_parameter("fc7.weight"))
    yield "detector", SVDNet().eval(), (115, 80)
    yield "tagger", tagger, CLIP_SHAPE
    odd, shape = of_many_layers()
    yield "odd", shuffled(odd), shape
    along_bands = (nn.Flatten(1, 2), nn.Conv1d(30, 4, 5, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(32, 2))
    yield "one dimension", Picture(*along_bands), (30, 20)


CASES = {name: (network, shape) for name, network, shape in networks()}


def by_autograd(network, x, weights):
    double = copy.deepcopy(network).double()
    x = x.double().requires_grad_()
    (gradient,) = torch.autograd.grad((double(x) * weights.double()).sum(), x)
    return gradient


def question(network, shape, rows):
    torch.manual_seed(rows)
    x = torch.randn(rows, *shape)
    with torch.no_grad():
        return x, torch.randn_like(network(x))


def relative(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_gradient_in_double_precision(name):
    network, shape = CASES[name]
    double = copy.deepcopy(network).double()
    x, weights = (each.double() for each in question(network, shape, 2))
    found = derived_gradient(double, x)(x, weights)
    assert relative(found, by_autograd(network, x, weights)) < 1e-10


@pytest.mark.parametrize("name", CASES)
def test_the_exported_rule_is_the_one_of_autograd_whatever_the_batch(name, tmp_path):
    network, shape = CASES[name]
    baseline = torch.linspace(-0.5, 0.5, shape[1])
    graph = derived_rule_graph("gradient", network, question(network, shape, 2)[0], baseline)
    write_graph(graph, tmp_path)
    session = onnxruntime.InferenceSession(tmp_path / "gradient" / "1" / "model.onnx")
    x, weights = question(network, shape, 3)
    answers = weights.shape[1]
    label, contrast = np.int32([[0], [1], [1]]), np.int32([[-1], [0], [-1]])
    (found,) = session.run(None, {"excerpt": x.numpy(), "label": label, "contrast": contrast})
    weights = torch.tensor([[1.0], [-1.0], [-1.0]])
    if answers > 1:
        weights = torch.eye(answers)[[0, 1, 1]]
        weights[1, 0] = -1
    speaks_for = smoothed((x.double() - baseline) * by_autograd(network, x, weights))
    largest = speaks_for.abs().amax(dim=(1, 2), keepdim=True)
    far = np.abs(found - (0.5 + 0.5 * speaks_for / largest).numpy()) > 1e-4
    # Where two bins of a pool, or a rectifier's two sides, are equal but for rounding, single precision chooses by it.
    assert far.mean() < 2e-3


def test_an_exported_gradient_has_a_kernel_for_every_operator_on_an_accelerator(tmp_path):
    network, shape = CASES["odd"]
    write_graph(derived_rule_graph("gradient", network, question(network, shape, 2)[0]), tmp_path)
    model = onnx.load(tmp_path / "gradient" / "1" / "model.onnx")
    assert not {node.op_type for node in model.graph.node} & (NO_KERNEL | {"ScatterElements", "ScatterND"})
    pools = [node for node in model.graph.node if node.op_type == "MaxPool"]
    assert all(len([each for each in node.output if each]) == 1 for node in pools)  # TensorRT's give no indices


def test_of_several_largest_bins_the_first_gets_the_gradient():
    network = Picture(nn.MaxPool2d((4, 1), (2, 2)), nn.Flatten())
    x = torch.zeros(2, 9, 6)
    with torch.no_grad():
        weights = torch.randn_like(network(x))
    torch.testing.assert_close(derived_gradient(network, x)(x, weights), by_autograd(network, x, weights).float())


def test_weights_stay_as_they_can_be_learnt():
    network = Picture(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 4 * 3, 1))
    derived_gradient(network, torch.zeros(2, 6, 5))
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_what_cannot_be_derived_is_refused_with_its_reason():
    class Branching(nn.Module):
        def forward(self, x):
            return x.sum(dim=(1, 2))[:, None] if float(x.sum()) > 0 else x[:, :1, 0]

    with pytest.raises(ExportError, match="gradient: the network's cannot be derived"):
        derived_gradient(Branching(), torch.ones(2, 4, 4))

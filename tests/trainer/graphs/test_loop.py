"""A module repeated inside its graph."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from phonoscope_trainer.graphs.description import Graph, TensorSpec
from phonoscope_trainer.graphs.loop import with_matrices_outside
from phonoscope_trainer.repository.models import write_graph
from phonoscope_trainer.repository.tensorrt import reason_against
from torch import nn


class Grow(nn.Module):
    """`value` times `factor`, until one exceeds 100; how often is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("one", torch.ones(1))
        self.same = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.same.weight)

    def forward(self, value, count, factor):
        grown = self.same(value) * factor * self.one
        return grown, count + self.one, (grown < 100).all()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    specs = [TensorSpec(name, (1,)) for name in ("value", "count", "factor")]
    outputs = (TensorSpec("next_value", (1,)), TensorSpec("next_count", (1,)))
    example = tuple(torch.ones(2, 1) for _ in specs)  # each its own: the exporter makes one input of one tensor
    write_graph(Graph("grow", Grow(), tuple(specs), outputs, example, iterations=10), root)
    return root / "grow" / "1" / "model.onnx"


@pytest.mark.parametrize(
    ("value", "factor", "expected", "count"),
    [([1.0, 2.0], 3.0, [81.0, 162.0], 4), ([1.0], 1.5, [1.5**10], 10), ([200.0], 2.0, [400.0], 1)],
    ids=["until it is told to stop", "as often as it may", "once at least"],
)
def test_a_module_is_repeated(path, value, factor, expected, count):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    column = np.array(value, np.float32)[:, None]
    inputs = {"value": column, "count": 0 * column, "factor": 0 * column + np.float32(factor)}
    grown, counted = session.run(["next_value", "next_count"], inputs)
    np.testing.assert_allclose(grown[:, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(counted[:, 0], [count] * len(value))


def body_of(model: onnx.ModelProto) -> onnx.GraphProto:
    (loop,) = [node for node in model.graph.node if node.op_type == "Loop"]
    (body,) = [attribute.g for attribute in loop.attribute if attribute.HasField("g")]
    return body


def test_weights_are_inside_the_loop_where_they_can_be_prepared_and_matrices_are_not(path):
    model = onnx.load(path)
    assert [list(tensor.dims) for tensor in model.graph.initializer] == [[1, 1]]
    inside = [list(tensor.dims) for tensor in body_of(model).initializer]
    assert inside
    assert [1, 1] not in inside


def test_a_loop_of_before_is_brought_to_that(path):
    model = onnx.load(path)
    body_of(model).initializer.extend(model.graph.initializer)
    del model.graph.initializer[:]
    onnx.checker.check_model(model, full_check=True)
    assert with_matrices_outside(model)
    assert not with_matrices_outside(model)
    onnx.checker.check_model(model, full_check=True)
    assert [list(tensor.dims) for tensor in model.graph.initializer] == [[1, 1]]
    column = np.ones((2, 1), np.float32)
    inputs = {"value": column, "count": 0 * column, "factor": 3 * column}
    old, new = (
        onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"])
        for each in (path.read_bytes(), model.SerializeToString())
    )
    for before, after in zip(old.run(None, inputs), new.run(None, inputs), strict=True):
        np.testing.assert_array_equal(before, after)


def test_tensorrt_is_not_given_a_loop_that_ends_by_itself(path):
    assert reason_against(onnx.load(path)) == "the values in its loop decide when that ends"

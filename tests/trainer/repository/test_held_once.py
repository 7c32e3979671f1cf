"""What a graph holds twice, it holds once, and computes the same."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from phonoscope_trainer.repository.golden import read_golden, write_arrays
from phonoscope_trainer.repository.held_once import hold_once


def model_of(second):
    """Two arrays and their sums with what comes in."""
    noise = np.random.default_rng(0)
    first = noise.normal(size=(16, 8, 5, 3)).astype(np.float32)
    arrays = {"first": first, "second": second(first)}
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT if array.dtype == np.float32 else TensorProto.DOUBLE, [1])
        for name, array in {"x": first, "y": arrays["second"]}.items()
    ]
    outputs = [
        helper.make_tensor_value_info(f"{each.name}_out", each.type.tensor_type.elem_type, array.shape)
        for each, array in zip(inputs, arrays.values(), strict=True)
    ]
    nodes = [helper.make_node("Add", ["x", "first"], ["x_out"]), helper.make_node("Add", ["y", "second"], ["y_out"])]
    graph = helper.make_graph(
        nodes, "sums", inputs, outputs, [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), arrays


@pytest.mark.parametrize(
    "second",
    [
        lambda first: first.copy(),
        lambda first: np.ascontiguousarray(first.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]),
        lambda first: np.arange(4096, dtype=np.float32).reshape(64, 64),
        lambda first: np.arange(8192, 0, -2, dtype=np.float32),
        lambda first: np.cos(np.arange(2**16) % 64).reshape(256, 256),
        lambda first: np.cos(np.arange(2**17) % 64).reshape(512, 256).astype(np.float32),
        lambda first: np.cos(np.outer(np.arange(1, 257), np.arange(128)) % 1024 / 7),
        lambda first: np.tile(first.ravel()[:500], 30)[3:],
        lambda first: np.where(np.arange(2**16) % 2, 0.0, -0.0).reshape(256, 256),
    ],
    ids=[
        "equal",
        "turned",
        "counting",
        "counting down",
        "table of doubles",
        "table",
        "products",
        "repeating",
        "signed zeros",
    ],
)
def test_the_same_bits_come_out_of_fewer(second):
    model, arrays = model_of(second)
    before = len(model.SerializeToString())
    hold_once(model)
    onnx.checker.check_model(model, full_check=True)
    assert len(model.SerializeToString()) < 0.75 * before
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {"x": np.zeros(1, np.float32), "y": np.full(1, -0.0, arrays["second"].dtype)}
    found = dict(zip(("first", "second"), session.run(["x_out", "y_out"], given), strict=True))
    for name, array in arrays.items():
        assert found[name].tobytes() == (array + given["x" if name == "first" else "y"]).tobytes()


@pytest.mark.parametrize(
    "second",
    [lambda _: np.random.default_rng(1).normal(size=(256, 256)), lambda _: np.arange(4096).reshape(64, 64) % 7 / 2],
    ids=["all different", "too small to keep a graph off TensorRT for"],
)
def test_other_arrays_stay(second):
    model, _ = model_of(second)
    before = model.SerializeToString()
    hold_once(model)
    assert model.SerializeToString() == before


def test_golden_vectors_that_are_the_same_are_written_once(tmp_path):
    sound = np.random.default_rng(2).normal(size=20000).astype(np.float32)
    arrays = {"a.input.x": sound, "b.input.x": sound.copy(), "b.output.y": sound[:5], "c.input.x": sound.astype(float)}
    write_arrays(tmp_path, arrays)
    found = read_golden(tmp_path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    with np.load(tmp_path / "golden.npz") as file:
        assert str(file["b.input.x"]) == "a.input.x"

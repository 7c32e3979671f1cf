"""Graphs that OpenVINO computes otherwise as they are."""

import numpy as np
import onnxruntime as ort
import openvino as ov
import pytest
from onnx import TensorProto, helper, numpy_helper
from phonoscope_serving.engines.openvino.rewriting import rewrite
from support.triton.inputs import inputs_of


def both(nodes, constants, x, kind):
    """What ONNX Runtime and OpenVINO make of a graph from x to y."""
    given = helper.make_tensor_value_info("x", kind, [None, *x.shape[1:]])
    made = helper.make_tensor_value_info("y", kind, None)
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "each", [given], [made], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    (expected,) = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    core = ov.Core()
    read = core.read_model(model, b"")
    rewrite(read)
    settings = {"INFERENCE_PRECISION_HINT": ov.Type.f32}
    return expected, core.compile_model(read, "CPU", settings)({"x": x})["y"]


@pytest.mark.parametrize("divisor", [1, 512, 262144])
@pytest.mark.parametrize("fmod", [0, 1])
def test_remainders_by_powers_of_two_are_exact_over_all_whole_numbers(divisor, fmod):
    edges = [0, -1, 1, 2**31 - 1, -(2**31), -(2**31) + 1, 262143, 262144, -262144]
    numbers = np.concatenate([edges, np.random.default_rng(0).integers(-(2**31), 2**31, 1000)])
    remainder = helper.make_node("Mod", ["x", "divisor"], ["y"], fmod=fmod)
    x = numbers.astype(np.int32)[:, None]
    expected, found = both([remainder], {"divisor": np.int32(divisor)}, x, TensorProto.INT32)
    np.testing.assert_array_equal(found, expected)


def test_a_convolution_and_a_transposed_one_may_share_their_kernel():
    random = np.random.default_rng(0)
    kernel, x = random.normal(size=(16, 16, 3, 3)), random.normal(size=(1, 16, 20, 24))
    there = helper.make_node("Conv", ["x", "kernel"], ["between"], pads=[1, 1, 1, 1])
    back = helper.make_node("ConvTranspose", ["between", "kernel"], ["y"], pads=[1, 1, 1, 1])
    constants = {"kernel": kernel.astype(np.float32)}
    expected, found = both([there, back], constants, x.astype(np.float32), TensorProto.FLOAT)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("frames", [91, 99, 100, 117])
def test_a_kernel_that_is_dilated_far_meets_what_it_met(frames):
    random = np.random.default_rng(0)
    kernel, x = random.normal(size=(8, 4, 7, 11)), random.normal(size=(1, 4, 7, frames))
    far = helper.make_node("Conv", ["x", "kernel"], ["y"], dilations=[1, 9])
    constants = {"kernel": kernel.astype(np.float32)}
    expected, found = both([far], constants, x.astype(np.float32), TensorProto.FLOAT)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("dilations", [[3, 1], [1, 3]])
def test_a_dilated_pool_finds_the_same_maxima(dilations):
    x = np.random.default_rng(0).normal(size=(1, 4, 20, 21)).astype(np.float32)
    strides = [1 if dilation > 1 else 3 for dilation in dilations]
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=strides, dilations=dilations)
    expected, found = both([pool], {}, x, TensorProto.FLOAT)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("graph", ["detector", "track_detector", "masker"])
def test_networks_are_run_by_no_reference_loop(bundle, bare, graph):
    core = ov.Core()
    model = core.read_model(bundle.graph(graph), b"")
    rewrite(model)
    settings = {"INFERENCE_PRECISION_HINT": ov.Type.f32, "PERF_COUNT": True}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    request.infer(inputs_of(graph, 1, bare.run))
    ran = [each for each in request.profiling_info if each.node_type in ("Convolution", "MaxPool")]
    assert ran
    assert [each.node_name for each in ran if each.exec_type.startswith("ref")] == []

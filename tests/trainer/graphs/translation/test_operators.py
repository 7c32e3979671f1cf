"""Each translated operator beside ONNX Runtime's."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.translation.network import Translated
from phonoscope_trainer.repository.models import OPSET

MAPS, ROW = (2, 3, 8, 6), (2, 3, 10)
# Operator, shape of what it is given, further inputs (constants), attributes.
CASES = [
    *((kind, MAPS, [], {}) for kind in ("Abs", "Neg", "Exp", "Sigmoid", "Tanh", "Relu", "Elu", "Selu", "Celu")),
    *((kind, MAPS, [], {}) for kind in ("Softplus", "Softsign", "HardSigmoid", "HardSwish", "Erf", "Gelu", "Mish")),
    *((kind, MAPS, [], {}) for kind in ("Sin", "Cos", "Floor", "Ceil", "Round", "Sign", "Identity", "Reciprocal")),
    ("LeakyRelu", MAPS, [], {"alpha": 0.2}),
    ("PRelu", MAPS, [np.full((3, 1, 1), 0.3, np.float32)], {}),
    ("Clip", MAPS, [np.float32(-0.5), np.float32(0.7)], {}),
    ("Softmax", MAPS, [], {"axis": 1}),
    ("LogSoftmax", MAPS, [], {}),
    *(
        (kind, MAPS, [np.full((6,), 0.7, np.float32)], {})
        for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Mean")
    ),
    *((f"Reduce{kind}", MAPS, [np.int64([2, 3])], {"keepdims": 0}) for kind in ("Mean", "Sum", "Max", "Min", "L2")),
    ("ReduceSumSquare", MAPS, [], {}),
    ("ReduceLogSumExp", MAPS, [np.int64([-1])], {}),
    ("Conv", MAPS, [np.ones((4, 3, 3, 2), np.float32), np.ones(4, np.float32)], {"pads": [1, 0, 2, 1]}),
    ("Conv", MAPS, [np.ones((4, 3, 3, 3), np.float32)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Conv", MAPS, [np.ones((4, 3, 2, 2), np.float32)], {"auto_pad": "SAME_LOWER", "strides": [1, 3]}),
    ("Conv", ROW, [np.ones((6, 1, 3), np.float32)], {"group": 3}),
    ("ConvTranspose", MAPS, [np.ones((3, 4, 3, 3), np.float32)], {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("MaxPool", MAPS, [], {"kernel_shape": [4, 1], "strides": [2, 2]}),
    ("MaxPool", ROW, [], {"kernel_shape": [3], "pads": [1, 1], "strides": [2]}),
    ("MaxPool", MAPS, [], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    ("AveragePool", MAPS, [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("AveragePool", MAPS, [], {"kernel_shape": [2, 3], "pads": [0, 1, 0, 1], "count_include_pad": 1}),
    ("GlobalAveragePool", MAPS, [], {}),
    ("GlobalMaxPool", MAPS, [], {}),
    ("BatchNormalization", MAPS, [np.float32([each, 1, 2]) for each in (1, 2, 3, 4)], {"epsilon": 1e-3}),
    ("InstanceNormalization", MAPS, [np.float32([1, 2, 3]), np.float32([0, 1, 2])], {}),
    ("LayerNormalization", MAPS, [np.full(6, 2, np.float32), np.ones(6, np.float32)], {}),
    ("Gemm", (2, 6), [np.ones((4, 6), np.float32), np.ones(4, np.float32)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ("MatMul", MAPS, [np.ones((6, 4), np.float32)], {}),
    ("Reshape", MAPS, [np.int64([0, -1, 4])], {}),
    ("Flatten", MAPS, [], {}),
    ("Flatten", MAPS, [], {"axis": 2}),
    ("Transpose", MAPS, [], {"perm": [0, 2, 1, 3]}),
    ("Transpose", MAPS, [], {}),
    ("Unsqueeze", MAPS, [np.int64([1, -1])], {}),
    ("Squeeze", (2, 1, 5, 1), [np.int64([1])], {}),
    ("Concat", MAPS, [np.zeros((2, 3, 8, 2), np.float32)], {"axis": 3}),
    ("Slice", MAPS, [np.int64([1, -1]), np.int64([100, -4]), np.int64([2, 3]), np.int64([3, -1])], {}),
    ("Gather", MAPS, [np.int64([0, 2, -1])], {"axis": 2}),
    ("Gather", MAPS, [np.int64(1)], {"axis": 1}),
    ("Gather", MAPS, [np.int64([[0, 1], [2, 3]])], {"axis": 3}),
    ("ArgMax", MAPS, [], {"axis": 2}),
    ("ArgMax", MAPS, [], {"axis": -1, "keepdims": 0}),
    ("GatherND", MAPS, [np.int64([[0, 1], [1, 2]])], {}),
    ("Tile", MAPS, [np.int64([1, 2, 1, 3])], {}),
    ("Expand", (2, 1, 5), [np.int64([3, 1])], {}),
    ("Pad", MAPS, [np.int64([0, 0, 1, 2, 0, 0, 3, 0]), np.float32(-1)], {}),
    ("Pad", MAPS, [np.int64([0, 0, 1, 2, 0, 0, 3, 0])], {"mode": "reflect"}),
    ("Pad", MAPS, [np.int64([2, 1, 0, 3]), None, np.int64([2, 3])], {"mode": "edge"}),
]


def model_of(kind, shape, constants, attributes, domain=""):
    names = ["x", *(f"c{number}" if each is not None else "" for number, each in enumerate(constants))]
    node = helper.make_node(kind, names, ["y"], domain=domain, **attributes)
    held = [
        numpy_helper.from_array(np.asarray(each), name) for name, each in zip(names[1:], constants, strict=True) if name
    ]
    ends = (
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.INT64 if kind == "ArgMax" else TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph([node], "one", *ends, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def by_runtime(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize(
    ("kind", "shape", "constants", "attributes"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_it_computes_as_the_runtime_does_for_any_number_of_rows(kind, shape, constants, attributes):
    model = model_of(kind, shape, constants, attributes)
    network = Translated(model)
    for rows in (2, 5) if kind not in ("Concat", "Flatten") else (2,):
        x = np.random.default_rng(rows).standard_normal((rows, *shape[1:])).astype(np.float32)
        np.testing.assert_allclose(network(torch.from_numpy(x)).numpy(), by_runtime(model, x), atol=2e-5, rtol=2e-5)


def test_parts_of_a_split_are_all_there():
    model = model_of("Relu", MAPS, [], {})
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("Split", ["x", "parts"], ["a", "b"], axis=2),
            helper.make_node("Concat", ["b", "a"], ["y"], axis=2),
        ]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.int64([3, 5]), "parts"))
    x = np.random.default_rng(0).standard_normal(MAPS).astype(np.float32)
    np.testing.assert_array_equal(Translated(model)(torch.from_numpy(x)).numpy(), by_runtime(model, x))


def test_a_shape_that_the_graph_computes_leaves_the_rows_free():
    """As exporters of TensorFlow write `reshape`: the sizes are gathered, and one of them is the batch's."""
    model = model_of("Relu", MAPS, [], {})
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("Shape", ["x"], ["sizes"]),
            helper.make_node("Cast", ["sizes"], ["cast"], to=TensorProto.INT64),
            helper.make_node("Slice", ["cast", "zero", "one", "zero"], ["rows"]),
            helper.make_node("Concat", ["rows", "rest"], ["wanted"], axis=0),
            helper.make_node("Equal", ["wanted", "minus"], ["free"]),
            helper.make_node("Where", ["free", "minus", "wanted"], ["final"]),
            helper.make_node("Reshape", ["x", "final"], ["y"]),
        ]
    )
    for name, value in {"zero": [0], "one": [1], "rest": [24, -1], "minus": [-1]}.items():
        model.graph.initializer.append(numpy_helper.from_array(np.int64(value), name))
    network = Translated(model)
    for rows in (2, 3):
        x = np.random.default_rng(rows).standard_normal((rows, *MAPS[1:])).astype(np.float32)
        np.testing.assert_array_equal(network(torch.from_numpy(x)).numpy(), by_runtime(model, x))


@pytest.mark.parametrize(
    ("kind", "domain", "named"), [("TopK", "", "TopK"), ("FusedConv", "com.microsoft", r"com\.microsoft\.FusedConv")]
)
def test_what_is_not_translated_is_named(kind, domain, named):
    with pytest.raises(ExportError, match=f"not translated to torch: {named}"):
        Translated(model_of(kind, MAPS, [], {}, domain))


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("MaxPool", {"kernel_shape": [3, 4], "strides": [2, 4], "ceil_mode": 1}),
        ("Pad", {"mode": "wrap"}),
        ("Cast", {"to": TensorProto.STRING}),
    ],
)
def test_what_an_operator_is_not_translated_for_is_said(kind, attributes):
    constants = [np.int64([0, 0, 1, 1, 0, 0, 1, 1])] if kind == "Pad" else []
    with pytest.raises(ExportError, match=f"not translated to torch: {kind} "):
        Translated(model_of(kind, MAPS, constants, attributes))(torch.zeros(MAPS))


def test_constants_of_every_kind_are_read():
    model = model_of("Relu", MAPS, [], {})
    del model.graph.node[:]
    model.graph.node.extend(
        [
            helper.make_node("Constant", [], ["a"], value_float=2.0),
            helper.make_node("Constant", [], ["b"], value_floats=[1.0] * 6),
            helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.float32(3))),
            helper.make_node("Constant", [], ["axes"], value_ints=[3]),
            helper.make_node("Mul", ["x", "a"], ["p"]),
            helper.make_node("Add", ["p", "b"], ["q"]),
            helper.make_node("Sub", ["q", "c"], ["r"]),
            helper.make_node("ReduceSum", ["r", "axes"], ["y"], keepdims=0),
        ]
    )
    x = np.random.default_rng(0).standard_normal(MAPS).astype(np.float32)
    found = Translated(model)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, by_runtime(model, x), atol=1e-5)


def test_in_double_precision_labels_become_weights_of_it():
    weights = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(3, 2), "weights")
    numbers = numpy_helper.from_array(np.arange(3, dtype=np.int32), "numbers")
    nodes = [
        helper.make_node("Equal", ["label", "numbers"], ["is"]),
        helper.make_node("Cast", ["is"], ["one"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["one", "weights"], ["y"]),
    ]
    label = helper.make_tensor_value_info("label", TensorProto.INT32, [None, 1])
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph(nodes, "labels", [label], [answer], [weights, numbers])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    asked, expected = torch.tensor([[2], [0]], dtype=torch.int32), torch.tensor([[4.0, 5.0], [0.0, 1.0]])
    torch.testing.assert_close(Translated(model)(asked), expected)
    torch.testing.assert_close(Translated(model).double()(asked), expected.double())

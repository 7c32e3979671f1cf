"""Weights beside their graph: what an engine is given is whole, and nothing but what the manifest lists is read."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.graphs.weights import with_weights
from phonoscope_serving.errors import BundleError
from support.bundles.repository import copied, put, put_listed

WEIGHT = np.arange(6, dtype=np.float32)


def graph(location="kernel.weights", offset="8", length="24"):
    """y = x + w, where w lies in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[6], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", length), ("checksum", "0")):
        weight.external_data.add(key=key, value=value)
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [6]) for name in "xy")
    add = helper.make_node("Add", ["x", "w"], ["y"])
    return helper.make_model(helper.make_graph([add], "sum", [given], [made], [weight])).SerializeToString()


def read(name):
    assert name == "kernel.weights"
    return bytes(8) + WEIGHT.tobytes()


def test_what_a_graph_refers_to_is_put_into_it_and_all_else_stays():
    whole = onnx.load_from_string(with_weights(graph(), read, "graph"))
    (weight,) = whole.graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(weight), WEIGHT)
    assert not weight.external_data
    onnx.checker.check_model(whole)


def test_a_graph_that_is_whole_keeps_its_bytes():
    content = with_weights(graph(), read, "graph")
    assert with_weights(content, read, "graph") is content


def test_what_is_no_graph_is_left_to_the_engine():
    assert with_weights(b"no graph", read, "graph") == b"no graph"


@pytest.mark.parametrize("location", ["", "/etc/passwd", "../detector/1/kernel.weights", "a/kernel.weights", "a\\b"])
def test_weights_lie_beside_their_graph(location):
    with pytest.raises(BundleError, match=r"masker: weight w is in .*, which is no file beside it"):
        with_weights(graph(location), read, "masker")


@pytest.mark.parametrize(("offset", "length"), [("-8", "24"), ("8", ""), ("8", "x"), ("8", "9" * 30)])
def test_where_a_weight_lies_is_told_in_whole_numbers(offset, length):
    with pytest.raises(BundleError, match="weight w has no offset and length that are whole numbers"):
        with_weights(graph(offset=offset, length=length), read, "masker")


def test_a_weight_that_is_not_all_there_is_refused():
    with pytest.raises(BundleError, match=r"weight w ends at byte 36 of kernel\.weights, which has 32"):
        with_weights(graph(offset="12"), read, "masker")


def test_weights_are_verified_as_they_are_read(tmp_path):
    root = copied(tmp_path)
    put_listed(root, "masker/1/model.onnx", graph(offset="0"))
    put_listed(root, "masker/1/kernel.weights", WEIGHT.tobytes())
    bundle = load_bundle(root)
    np.testing.assert_array_equal(
        numpy_helper.to_array(onnx.load_from_string(bundle.graph("masker")).graph.initializer[0]), WEIGHT
    )
    put(root, "masker/1/kernel.weights", bytes(24))
    with pytest.raises(BundleError, match=r"kernel\.weights is not the file the manifest describes"):
        bundle.graph("masker")


def test_a_link_out_of_the_bundle_is_not_followed(tmp_path):
    root = copied(tmp_path)
    put_listed(root, "masker/1/model.onnx", graph(offset="0"))
    put_listed(root, "masker/1/kernel.weights", WEIGHT.tobytes())
    (tmp_path / "elsewhere").write_bytes(WEIGHT.tobytes())
    (root / "masker/1/kernel.weights").unlink()
    (root / "masker/1/kernel.weights").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=r"kernel\.weights lies outside the model repository"):
        load_bundle(root)

"""Bundles that are wrong although every digest is right: none of them is served."""

import io
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.golden import proofs
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError
from phonoscope_serving.metrics import Metrics
from support.bundles.repository import edit_manifest, put_listed
from triton_server.server import linked


@pytest.fixture
def altered(repository, tmp_path):
    """A copy to alter; files are shared with the original until they are replaced."""
    return Path(shutil.copytree(repository, tmp_path / "altered", copy_function=linked))


def load(root):
    OnnxEngine(load_bundle(root), OnnxOptions(device="cpu", threads=1), Metrics()).load()


def graph(root, model):
    return onnx.load_from_string(load_bundle(root).graph(model))


def arrays(**named):
    content = io.BytesIO()
    np.savez(content, **named)
    return content.getvalue()


@pytest.mark.parametrize("model", ["masker", "detector", "track_detector"])
def test_attack_a_graph_whose_weights_were_zeroed_is_not_served(altered, model):
    zeroed = graph(altered, model)
    for weight in zeroed.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.dims) > 1:
            weight.CopyFrom(onnx.numpy_helper.from_array(np.zeros(weight.dims, np.float32), weight.name))
    put_listed(altered, f"{model}/1/model.onnx", zeroed.SerializeToString())
    with pytest.raises(BundleError, match="off the golden one"):
        load(altered)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), 7, 0, 1, -0.5, True])
def test_attack_a_threshold_is_a_probability(altered, threshold):
    edit_manifest(altered, threshold=threshold)
    with pytest.raises(BundleError, match=r"threshold is .*; it must lie between 0 and 1"):
        load_bundle(altered)


def test_attack_weights_outside_a_graph_are_not_read_from_the_working_directory(altered, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    onnx.save_model(
        graph(altered, "masker"),
        elsewhere / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    put_listed(altered, "masker/1/model.onnx", (elsewhere / "model.onnx").read_bytes())
    monkeypatch.chdir(elsewhere)
    with pytest.raises(BundleError, match=r"masker/1/weights\.bin is not listed in the manifest"):
        load(altered)


def test_attack_weights_of_a_graph_s_parts_are_not_read_either(altered, tmp_path, monkeypatch):
    """Only the graph's own weights may be beside it; whatever else names a file is ONNX Runtime's to refuse."""
    (tmp_path / "weights.bin").write_bytes(bytes(4))
    part = onnx.TensorProto(name="part", data_type=onnx.TensorProto.FLOAT, dims=[1])
    part.data_location = onnx.TensorProto.EXTERNAL
    part.external_data.add(key="location", value="weights.bin")
    reading = graph(altered, "masker")
    reading.graph.node.add(op_type="Constant", output=["read"]).attribute.append(
        onnx.helper.make_attribute("value", part)
    )
    reading.graph.output.add().CopyFrom(onnx.helper.make_tensor_value_info("read", onnx.TensorProto.FLOAT, [1]))
    put_listed(altered, "masker/1/model.onnx", reading.SerializeToString())
    put_listed(altered, "masker/1/weights.bin", bytes(4))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="masker: ONNX Runtime cannot load the graph"):
        load(altered)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"PK\x03\x04 and so on",
        arrays(**{"predict": np.zeros(3)}),
        arrays(**{"predict.input.samples": np.array({"a": 1}, dtype=object)}),
    ],
    ids=["empty", "junk", "zip", "other-names", "objects"],
)
def test_attack_golden_vectors_that_are_none_are_told_in_words(altered, content):
    put_listed(altered, "golden.npz", content)
    with pytest.raises(BundleError, match=r"golden\.npz holds"):
        load_bundle(altered).golden()


@pytest.mark.parametrize("ensemble", ["predict", "explain_masker"])
def test_attack_what_answers_without_a_proof_is_not_served(altered, ensemble):
    golden = load_bundle(altered).golden()
    put_listed(altered, "golden.npz", arrays(**{n: a for n, a in golden.items() if not n.startswith(f"{ensemble}.")}))
    with pytest.raises(BundleError, match=f"there are no golden vectors of {ensemble}"):
        list(proofs(load_bundle(altered)))

"""Graphs that share their weights: the same graphs to ONNX Runtime, wherever their bundle is copied to."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf import text_format
from onnx import TensorProto, helper, numpy_helper
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.repository.deployment import CPU, deploy
from phonoscope_trainer.repository.manifest import file_digests
from phonoscope_trainer.repository.shared_weights import WEIGHTS, hold_inside, share_weights
from phonoscope_trainer.repository.whole_graph import read_graph
from tritonclient.grpc import model_config_pb2 as triton

RANDOM = np.random.default_rng(2019)
LARGE, LARGER, OWN = (RANDOM.standard_normal(size).astype(np.float32) for size in (300_000, 400_000, 300_000))
SMALL = LARGE[:1000]
HELD = {
    "hears": {"a": LARGE, "small": SMALL},
    "track": {"b": LARGE, "small": SMALL, "own": OWN},
    "both": {"c": LARGER, "d": LARGE},
    "makes": {"e": LARGER},
    "alone": {"f": OWN[::-1].copy()},
}


def write(root, name, weights):
    """A graph that adds up all that it holds, beside what it is given."""
    outputs = [helper.make_tensor_value_info(each, TensorProto.FLOAT, [1]) for each in weights]
    nodes = [helper.make_node("ReduceSum", [each], [f"{each}_sum"], keepdims=0) for each in weights]
    nodes += [helper.make_node("Add", ["x", f"{each}_sum"], [f"{each}_out"]) for each in weights]
    outputs = [helper.make_tensor_value_info(f"{each}_out", TensorProto.FLOAT, [1]) for each in weights]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    held = [numpy_helper.from_array(array, each) for each, array in weights.items()]
    model = helper.make_model(helper.make_graph(nodes, name, [given], outputs, held), ir_version=10)
    model.opset_import[0].version = 20
    folder = root / name / "1"
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    config = triton.ModelConfig(name=name, backend="onnxruntime")
    (root / name / "config.pbtxt").write_text(text_format.MessageToString(config))


@pytest.fixture
def whole(tmp_path):
    root = tmp_path / "whole"
    for name, weights in HELD.items():
        write(root, name, weights)
    config = triton.ModelConfig(name="asks", platform="ensemble")
    config.ensemble_scheduling.step.add(model_name="hears", model_version=-1)
    (root / "asks").mkdir()
    (root / "asks" / "config.pbtxt").write_text(text_format.MessageToString(config))
    return root


@pytest.fixture
def shared(whole, tmp_path):
    root = shutil.copytree(whole, tmp_path / "shared")
    share_weights(root)
    return root


def answers(root):
    """What ONNX Runtime makes of each graph, by its path."""
    made = {}
    for path in sorted(root.glob("*/1/model.onnx")):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        made[path.parents[1].name] = [float(each[0]) for each in session.run(None, {"x": np.zeros(1, np.float32)})]
    return made


def size(root):
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())


def test_every_graph_is_the_same_to_onnx_runtime(whole, shared):
    assert answers(shared) == answers(whole)


def test_a_number_is_on_the_disk_once(whole, shared):
    saved = 2 * LARGE.nbytes + LARGER.nbytes
    assert abs(size(whole) - size(shared) - saved) < 20_000


def test_what_is_small_or_its_graph_s_own_stays_in_it(shared):
    model = onnx.load(shared / "track" / "1" / "model.onnx", load_external_data=False)
    outside = {each.name for each in model.graph.initializer if each.data_location == TensorProto.EXTERNAL}
    assert outside == {"b"}
    assert not (shared / "alone" / "1" / "model.onnx").is_symlink()


def test_what_ensembles_call_most_keeps_the_files_and_these_tell_who_shares_them(shared):
    files = sorted(path.name for path in (shared / "hears" / "1").iterdir() if not path.is_symlink())
    graphs = ["both.hears.track.weights", "both.makes.weights", "both.onnx", "makes.onnx", "model.onnx", "track.onnx"]
    assert files == graphs
    assert sorted(path.name for path in (shared / "track" / "1").iterdir()) == [
        "both.hears.track.weights",
        "model.onnx",
    ]


def test_every_link_is_relative_and_leads_into_the_bundle(shared):
    links = [path for path in shared.rglob("*") if path.is_symlink()]
    assert links
    for link in links:
        assert not link.readlink().is_absolute()
        assert link.resolve().is_relative_to(shared.resolve())


def test_a_configuration_knows_the_digest_of_its_graph_and_that_holds_its_weights_digest(shared):
    for name in HELD:
        content = (shared / name / "1" / "model.onnx").read_bytes()
        config = text_format.Parse((shared / name / "config.pbtxt").read_text(), triton.ModelConfig())
        said = config.parameters["graph_sha256"].string_value
        assert said == (hashlib.sha256(content).hexdigest() if name != "alone" else "")
        for weight in onnx.load_from_string(content).graph.initializer if name == "alone" else []:
            assert weight.data_location != TensorProto.EXTERNAL
    model = onnx.load(shared / "makes" / "1" / "model.onnx", load_external_data=False)
    said = {entry.key: entry.value for entry in model.graph.initializer[0].external_data}
    content = (shared / "makes" / "1" / said["location"]).read_bytes()
    assert said["checksum"] == hashlib.sha1(content).hexdigest()
    assert int(said["offset"]) % 4096 == 0


def test_graphs_are_whole_again_to_the_same_bytes(whole, shared):
    hold_inside(shared)
    for name in HELD:
        assert onnx.load(shared / name / "1" / "model.onnx") == onnx.load(whole / name / "1" / "model.onnx")
    assert not [*shared.rglob(f"*{WEIGHTS}")]
    assert {p.name for p in shared.glob("*/1/*")} == {"model.onnx"}


def test_sharing_twice_changes_nothing(shared, tmp_path):
    again = shutil.copytree(shared, tmp_path / "again")  # links are followed
    hold_inside(again)
    share_weights(again)
    assert file_digests(again) == file_digests(shared)
    assert size(again) == size(shared)


def test_a_copy_that_follows_links_is_the_same_bundle(whole, shared, tmp_path):
    """As object stores and some archives make them: larger, but every digest is right, and every graph loads."""
    followed = shutil.copytree(shared, tmp_path / "followed")
    assert not [path for path in followed.rglob("*") if path.is_symlink()]
    assert file_digests(followed) == file_digests(shared)
    assert answers(followed) == answers(whole)


def test_a_bundle_for_another_device_still_shares(written, tmp_path):
    links = [path for path in written.root.rglob("*") if path.is_symlink()]
    assert links, "the detector's weights are the detector's along a track"
    deploy(written.root, tmp_path / "deployed", CPU, "phonoscope-train deploy")
    for link in links:
        assert (tmp_path / "deployed" / link.relative_to(written.root)).readlink() == link.readlink()


@pytest.mark.parametrize(
    ("file", "message"), [(None, "which is no file beside it"), (b"few", "ends behind the end of")]
)
def test_weights_that_are_not_there_are_told_in_words(shared, file, message):
    (shared / "makes" / "1" / "both.makes.weights").unlink()
    if file is not None:
        (shared / "makes" / "1" / "both.makes.weights").write_bytes(file)
    with pytest.raises(ExportError, match=f"weight e .*{message}"):
        read_graph(shared / "makes" / "1" / "model.onnx")


def test_a_matrix_that_another_graph_holds_turned_is_shared_as_well(tmp_path):
    root = tmp_path / "whole"
    matrix = RANDOM.standard_normal((500, 600)).astype(np.float32)
    write(root, "forward", {"a": matrix})
    write(root, "back", {"b": matrix.T.copy(), "own": OWN})
    before = answers(root)
    share_weights(root)
    assert answers(root) == before
    assert size(root) < matrix.nbytes + OWN.nbytes + 20_000
    made = read_graph(root / "back" / "1" / "model.onnx")
    (node,) = [each for each in made.graph.node if each.op_type == "Transpose"]
    assert (list(node.input), list(node.output)) == (["b_turned"], ["b"])
    hold_inside(root)
    share_weights(root)
    assert size(root) < matrix.nbytes + OWN.nbytes + 20_000

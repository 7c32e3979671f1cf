"""A bundle for each device: configurations a stock server takes, with shapes and inputs that are the graphs' own."""

from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from google.protobuf import text_format
from onnx import TensorProto, helper
from phonoscope_trainer.cli import main
from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.deployment import DEVICES, Deployment, deploy
from phonoscope_trainer.repository.golden import read_golden
from phonoscope_trainer.repository.tensorrt import reason_against
from tritonclient.grpc import model_config_pb2 as triton

GRAPHS = (
    *("frontend", "detector", "track_detector", "explanation_inverter", "gradient", "masker", "mask", "listen"),
    "nearest_examples",
)
OFF_TENSORRT = {"frontend": "float64", "track_detector": "silence_before"}  # and why
ON_TENSORRT = tuple(name for name in GRAPHS if name not in OFF_TENSORRT)
DTYPES = {triton.TYPE_FP32: np.float32, triton.TYPE_INT32: np.int32}
KINDS = {"cpu": "KIND_CPU", "cuda": "KIND_GPU", "tensorrt": "KIND_GPU"}


def config(root, name):
    return text_format.Parse((root / name / "config.pbtxt").read_text(), triton.ModelConfig())


def digests(root):
    return json.loads((root / bundle.MANIFEST).read_text())["files"]


@pytest.fixture(scope="module")
def deployed(written, tmp_path_factory):
    """Device → bundle."""
    roots = {device: tmp_path_factory.mktemp(device) / "repository" for device in DEVICES}
    for device, root in roots.items():
        deploy(written.root, root, Deployment(device, instances=2), f"deploy {device}")
    return roots


def warm_inputs(root, name, number):
    """The tensors one warm-up sample of a graph is made of, as Triton makes them: one row, repeated."""
    sample = config(root, name).model_warmup[number]
    tensors = {}
    for tensor, given in sample.inputs.items():
        shape, dtype = (1, *given.dims), DTYPES[given.data_type]
        if given.zero_data:
            row = np.zeros(shape, dtype)
        else:
            row = np.frombuffer((root / name / "warmup" / given.input_data_file).read_bytes(), dtype).reshape(shape)
        tensors[tensor] = np.repeat(row, sample.batch_size, axis=0)
    return tensors


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_is_put_on_the_device(deployed, device, name):
    (group,) = config(deployed[device], name).instance_group
    assert triton.ModelInstanceGroup.Kind.Name(group.kind) == KINDS[device]
    assert group.count == 2


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", GRAPHS)
def test_a_queue_is_bounded_and_batches_are_ones_the_graph_takes(deployed, device, name):
    described = config(deployed[device], name)
    batching = described.dynamic_batching
    assert batching.default_queue_policy.max_queue_size > 0
    assert batching.default_queue_policy.timeout_action == triton.ModelQueuePolicy.REJECT
    assert all(1 < rows <= described.max_batch_size for rows in batching.preferred_batch_size)
    assert bool(batching.preferred_batch_size) == (described.max_batch_size > 1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", GRAPHS)
def test_warm_up_inputs_fit_the_configuration(deployed, device, name):
    described = config(deployed[device], name)
    expected = {tensor.name: (tensor.data_type, list(tensor.dims)) for tensor in described.input}
    assert described.model_warmup
    for sample in described.model_warmup:
        assert 1 <= sample.batch_size <= described.max_batch_size
        assert sample.inputs.keys() == expected.keys()
        for tensor, given in sample.inputs.items():
            data_type, dims = expected[tensor]
            assert given.data_type == data_type
            assert len(given.dims) == len(dims)
            assert all(free in (-1, size) for free, size in zip(dims, given.dims, strict=True))
            if given.input_data_file:
                size = np.dtype(DTYPES[data_type]).itemsize * int(np.prod(given.dims))
                file = deployed[device] / name / "warmup" / given.input_data_file
                assert file.stat().st_size == size


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_runs_on_its_warm_up_inputs(deployed, name):
    path = deployed["cpu"] / name / "1" / "model.onnx"
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for number, sample in enumerate(config(deployed["cpu"], name).model_warmup):
        for value in session.run(None, warm_inputs(deployed["cpu"], name, number)):
            assert len(value) == sample.batch_size
            assert np.isfinite(value).all()


def test_a_graph_is_warmed_with_what_the_golden_sound_makes_of_itself(deployed):
    golden = read_golden(deployed["cpu"])
    inputs = warm_inputs(deployed["cpu"], "detector", 0)
    np.testing.assert_allclose(inputs["excerpt"], golden["explain_masker.output.standardised"][:1], atol=1e-4)


@pytest.mark.parametrize("name", ON_TENSORRT)
def test_tensorrt_is_told_every_shape_a_graph_takes(deployed, name):
    described = config(deployed["tensorrt"], name)
    (accelerator,) = described.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    bounds = []
    for bound, rows in (("min", 1), ("opt", 16), ("max", described.max_batch_size)):
        parts = [part.split(":") for part in accelerator.parameters[f"trt_profile_{bound}_shapes"].split(",")]
        shapes = {tensor: [int(size) for size in shape.split("x")] for tensor, shape in parts}
        assert shapes.keys() == {tensor.name for tensor in described.input}
        assert {shape[0] for shape in shapes.values()} == {rows}
        for tensor in described.input:
            sizes = zip(tensor.dims, shapes[tensor.name][1:], strict=True)
            assert all(size == dim or (dim == -1 and size > 0) for dim, size in sizes)
        bounds.append(shapes)
    for tensor in described.input:
        assert all(a <= b <= c for a, b, c in zip(*(shapes[tensor.name] for shapes in bounds), strict=True))


@pytest.mark.parametrize("name", ON_TENSORRT)
def test_every_warm_up_input_lies_within_the_profile(deployed, name):
    described = config(deployed["tensorrt"], name)
    (accelerator,) = described.optimization.execution_accelerators.gpu_execution_accelerator
    low, high = (
        dict(part.split(":") for part in accelerator.parameters[f"trt_profile_{bound}_shapes"].split(","))
        for bound in ("min", "max")
    )
    for sample in described.model_warmup:
        for tensor, given in sample.inputs.items():
            shape = (sample.batch_size, *given.dims)
            bounds = zip(low[tensor].split("x"), shape, high[tensor].split("x"), strict=True)
            assert all(int(a) <= b <= int(c) for a, b, c in bounds)


def test_no_two_graphs_share_an_engine_cache(deployed):
    caches = [
        config(deployed["tensorrt"], name)
        .optimization.execution_accelerators.gpu_execution_accelerator[0]
        .parameters["trt_engine_cache_path"]
        for name in ON_TENSORRT
    ]
    assert len(set(caches)) == len(ON_TENSORRT)


@pytest.mark.parametrize(("name", "reason"), OFF_TENSORRT.items())
def test_what_tensorrt_cannot_take_stays_on_cuda_and_the_configuration_says_why(deployed, name, reason):
    described = config(deployed["tensorrt"], name)
    assert not described.HasField("optimization")
    first = (deployed["tensorrt"] / name / "config.pbtxt").read_text().splitlines()[0]
    assert first.startswith("# Runs on the CUDA provider")
    assert reason in first


def graph(*nodes):
    floats = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4, 8, 8]) for name in ("x", "y")]
    return helper.make_model(helper.make_graph(nodes, "test", floats[:1], floats[1:]))


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([helper.make_node("Relu", ["x"], ["y"])], ""),
        ([helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Expand", ["x", "s"], ["y"])], ""),
        ([helper.make_node("Cast", ["x"], ["s"], to=7), helper.make_node("Expand", ["c", "s"], ["y"])], "value of x"),
        ([helper.make_node("MaxPool", ["x"], ["y", "where"], kernel_shape=[2, 2])], "indices"),
        ([helper.make_node("MaxUnpool", ["x", "where"], ["y"], kernel_shape=[2, 2])], "MaxUnpool"),
    ],
)
def test_the_reason_against_tensorrt_is_found_in_the_graph(nodes, reason):
    found = reason_against(graph(*nodes))
    assert reason in found
    assert bool(found) == bool(reason)


def test_tensorrt_is_not_asked_for_float64():
    model = graph(helper.make_node("Relu", ["x"], ["y"]))
    model.graph.initializer.append(helper.make_tensor("c", TensorProto.DOUBLE, [1], [1.0]))
    assert "float64" in reason_against(model)


def test_an_axis_that_is_free_beside_the_rows_keeps_a_graph_off_tensorrt():
    free = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "features", 8]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "test", free[:1], free[1:]))
    assert reason_against(model).startswith("x has a free axis")


def test_half_precision_is_chosen_for_each_graph(written, tmp_path):
    deploy(written.root, tmp_path / "out", Deployment("tensorrt", half_precision=("detector",)), "")
    for name in ON_TENSORRT:
        (accelerator,) = config(tmp_path / "out", name).optimization.execution_accelerators.gpu_execution_accelerator
        assert accelerator.parameters["precision_mode"] == ("FP16" if name == "detector" else "FP32")


@pytest.mark.parametrize("device", DEVICES)
def test_a_change_of_device_leaves_everything_but_the_graphs_configurations_as_it_is(written, deployed, device):
    before, after = digests(written.root), digests(deployed[device])
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    others = ("exchange", "exchange_sound", "masker_along", "moments", "region")
    assert changed == {f"{name}/config.pbtxt" for name in (*GRAPHS, *others)}
    assert bundle.file_digests(deployed[device]) == after


def test_a_deployment_can_be_taken_back(written, deployed, tmp_path):
    deploy(deployed["tensorrt"], tmp_path / "out", Deployment(), "deploy cpu")
    before, after = (json.loads((root / bundle.MANIFEST).read_text()) for root in (written.root, tmp_path / "out"))
    assert after["files"] == before["files"]


def test_the_manifest_says_how_a_bundle_was_deployed_and_keeps_what_it_knew(written, deployed):
    before, after = (json.loads((root / bundle.MANIFEST).read_text()) for root in (written.root, deployed["cuda"]))
    assert after["command"] == f"{before['command']}\ndeploy cuda"
    assert after["digest"] != before["digest"]
    kept = before.keys() - {"command", "digest", "files"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_a_bundle_is_deployed_in_its_own_place_from_a_terminal(written, tmp_path, capsys):
    root = shutil.copytree(written.root, tmp_path / "bundle")
    assert main(["deploy", "--model-repository", str(root), "--device", "cuda", "--out", str(root)]) == 0
    assert json.loads((root / bundle.MANIFEST).read_text())["digest"] in capsys.readouterr().out
    assert config(root, "mask").instance_group[0].kind == triton.ModelInstanceGroup.KIND_GPU


def test_an_altered_bundle_is_not_deployed(written, tmp_path):
    root = shutil.copytree(written.root, tmp_path / "bundle")
    onnx.save(graph(helper.make_node("Relu", ["x"], ["y"])), root / "mask" / "1" / "model.onnx")
    with pytest.raises(ExportError, match=r"mask/1/model\.onnx"):
        deploy(root, tmp_path / "out", Deployment(), "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("manifest", ["", "[]", "{}"])
def test_what_has_no_manifest_of_a_bundle_is_not_deployed(tmp_path, manifest):
    root = tmp_path / "bundle"
    root.mkdir()
    (root / bundle.MANIFEST).write_text(manifest)
    with pytest.raises(ExportError, match=r"MANIFEST\.json is not the manifest of a bundle"):
        deploy(root, tmp_path / "out", Deployment(), "")


def test_a_folder_that_is_no_bundle_is_not_replaced(written, tmp_path):
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(ExportError, match="not a bundle"):
        deploy(written.root, tmp_path, Deployment(), "")
    assert (tmp_path / "letters").read_text() == "dear"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"instances": 0}, "instances is 0; it must be 1 or more"),
        ({"device": "cuda", "half_precision": ("detector",)}, "half precision is TensorRT's; the device is cuda"),
    ],
)
def test_a_deployment_that_means_nothing_is_refused(options, complaint):
    with pytest.raises(OptionsError, match=complaint):
        Deployment(**options)


def test_half_precision_for_a_graph_that_tensorrt_does_not_run_is_refused(written, tmp_path):
    with pytest.raises(OptionsError, match="track_detector"):
        deploy(written.root, tmp_path / "out", Deployment("tensorrt", half_precision=("track_detector",)), "")

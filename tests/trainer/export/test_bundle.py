"""What export writes: graphs equal to their modules, configurations that say so, a manifest that can be checked."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from google.protobuf import text_format
from phonoscope_trainer.corpora.features import frame_magnitudes
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.measures.listeners import bundle_listener
from phonoscope_trainer.measures.tracks import curve
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.golden import read_golden
from phonoscope_trainer.repository.whole_graph import read_graph
from support.bundles.small_bank import SAID
from support.corpora.music import melody
from support.nearly import assert_nearly_close
from tritonclient.grpc import model_config_pb2 as triton

GRAPHS = (
    *("frontend", "detector", "track_detector", "explanation_inverter", "gradient", "masker", "mask", "listen"),
    *("exchange", "exchange_sound", "nearest_examples"),
)
RULES = ("masker", "gradient", "inversion")
ENSEMBLES = (
    "predict",
    *(f"explain_{rule}" for rule in RULES),
    "masked",
    "heard",
    "exchanged",
    "exchange_heard",
    "nearest",
)
TOLERANCE = {"frontend": 1e-4, "listen": 1e-4, "exchange_sound": 1e-4}  # float32 sums of 1024 products; 1e-5 elsewhere


def config(root, name: str) -> triton.ModelConfig:
    return text_format.Parse((root / name / "config.pbtxt").read_text(), triton.ModelConfig())


def session(root, name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(root / name / "1" / "model.onnx"), providers=["CPUExecutionProvider"])


def realistic(spec, rows: int) -> torch.Tensor:
    """Values an input takes in service; 3 s of audio where its length is free."""
    if spec.name == "samples":
        length = spec.dims[0] if spec.dims[0] > 0 else 3 * 22050
        return torch.stack([torch.from_numpy(melody(4, seed)[:length]) for seed in range(rows)])
    if spec.name == "masking":
        return torch.tensor([[1 + row % 2] for row in range(rows)], dtype=torch.int32)
    if spec.name in ("vocal", "trial"):
        return torch.tensor([[row % 2] for row in range(rows)], dtype=torch.int32)
    if spec.type == "int32":
        return torch.full((rows, 1), 57, dtype=torch.int32)
    dims = tuple(200 if size == -1 else size for size in spec.dims)
    values = torch.rand(rows, *dims, generator=torch.Generator().manual_seed(len(spec.name)))
    if spec.name == "region":
        return (values > 0.5).float()
    return values if dims == (1,) or spec.name == "relevance" else 4 * values - 2


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("rows", [1, 5])
def test_every_graph_computes_what_its_module_computes(written, name, rows):
    graph = next(graph for part in written.parts for graph in part.graphs if graph.name == name)
    rows = min(rows, graph.maximum_batch)
    inputs = [realistic(spec, rows) for spec in graph.inputs]
    with torch.inference_mode():
        expected = graph.module(*inputs)
    expected = expected if isinstance(expected, tuple) else (expected,)
    feeds = {spec.name: value.numpy() for spec, value in zip(graph.inputs, inputs, strict=True)}
    found = session(written.root, name).run([spec.name for spec in graph.outputs], feeds)
    for spec, one, other in zip(graph.outputs, expected, found, strict=True):
        assert_nearly_close(other, one, atol=TOLERANCE.get(name, 1e-5), rtol=1e-5, err_msg=spec.name)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_configuration_agrees_with_its_graph(written, name):
    described, loaded = config(written.root, name), session(written.root, name)
    assert described.backend == "onnxruntime"
    for specs, values in ((described.input, loaded.get_inputs()), (described.output, loaded.get_outputs())):
        assert [s.name for s in specs] == [v.name for v in values]
        for spec, value in zip(specs, values, strict=True):
            fixed = [size if isinstance(size, int) else -1 for size in value.shape[1:]]
            assert list(spec.dims) == fixed
            assert {triton.TYPE_FP32: "tensor(float)", triton.TYPE_INT32: "tensor(int32)"}[spec.data_type] == value.type


@pytest.mark.parametrize("name", ENSEMBLES)
def test_every_ensemble_is_tied_by_tensors_that_exist(written, name):
    described = config(written.root, name)
    assert described.platform == "ensemble"
    assert (written.root / name / "1").is_dir()
    known = {spec.name for spec in described.input}
    for step in described.ensemble_scheduling.step:
        composed = config(written.root, step.model_name)
        assert set(step.input_map) == {spec.name for spec in composed.input}
        assert set(step.output_map) <= {spec.name for spec in composed.output}
        assert set(step.input_map.values()) <= known, "steps are written in an order in which they can run"
        known |= set(step.output_map.values())
    assert {spec.name for spec in described.output} <= known


def test_the_detector_graph_shows_every_layer(written):
    names = [spec.name for spec in config(written.root, "detector").output]
    layers = ["conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8"]
    assert names == [*layers, "logit", "probability", "mp6_gradient"]


def test_no_graph_but_the_detectors_own_holds_its_dense_weights(written):
    holders = [
        name
        for name in GRAPHS
        for weight in read_graph(written.root / name / "1" / "model.onnx").graph.initializer
        if sorted(weight.dims) == [256, 4928]
    ]
    assert holders == ["detector", "track_detector"]


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_use_no_operator_without_a_cuda_kernel_and_hold_no_source_paths(written, name):
    model = read_graph(written.root / name / "1" / "model.onnx")
    used = {node.op_type for node in model.graph.node}
    assert not used & {"STFT", "DFT", "MelWeightMatrix", "MaxUnpool"}
    assert b".py" not in model.SerializeToString()


def test_the_front_end_says_what_serving_must_know(written):
    parameters = {k: v.string_value for k, v in config(written.root, "frontend").parameters.items()}
    assert parameters["sample_rate_hz"] == "22050"
    assert parameters["hop_samples"] == "315"
    assert parameters["frame_samples"] == "1024"
    assert parameters["excerpt_frames"] == "115"
    assert parameters["excerpt_samples"] == "36934"
    assert len(parameters["band_centre_hz"].split(",")) == 80


def test_the_manifest_names_every_file_with_its_digest(written):
    manifest = json.loads((written.root / bundle.MANIFEST).read_text())
    files = {str(p.relative_to(written.root)) for p in written.root.rglob("*") if p.is_file()} - {bundle.MANIFEST}
    assert set(manifest["files"]) == files
    for path, digest in manifest["files"].items():
        assert hashlib.sha256((written.root / path).read_bytes()).hexdigest() == digest
    assert manifest["digest"] == written.digest
    assert manifest["training_data"] == [{"name": "nothing", "licence": "CC0-1.0", "digest": "0" * 64}]


@pytest.mark.parametrize("name", [name for name in ENSEMBLES if name != "masked"])
def test_golden_vectors_come_back_from_the_exported_graphs(written, name):
    golden = read_golden(written.root)
    ensemble = next(each for part in written.parts for each in part.ensembles if each.name == name)
    known = {spec.name: golden[f"{name}.input.{spec.name}"] for spec in ensemble.inputs}
    for step in ensemble.steps:
        feeds = {inner: known[outer] for inner, outer in step.inputs.items()}
        values = session(written.root, step.graph).run(list(step.outputs), feeds)
        known |= dict(zip(step.outputs.values(), values, strict=True))
    for spec in ensemble.outputs:
        expected = golden[f"{name}.output.{spec.name}"]
        assert_nearly_close(known[spec.name], expected, atol=1e-4, rtol=1e-4, err_msg=spec.name)


def test_the_manifest_says_what_regions_are_exchanged_with(written):
    manifest = json.loads((written.root / bundle.MANIFEST).read_text())
    assert manifest["exchange"] == SAID
    parameters = {k: v.string_value for k, v in config(written.root, "exchange").parameters.items()}
    assert parameters["trials"] == "carried,silhouette,removed,shifted,other"


def test_other_music_is_kept_as_small_as_it_was_packed(written):
    constants = {
        each.name: each for each in read_graph(written.root / "exchange" / "1" / "model.onnx").graph.initializer
    }
    kept = {onnx.TensorProto.DataType.Name(each.data_type) for each in constants.values() if len(each.raw_data) > 9000}
    assert kept == {"UINT8", "INT16"}


def test_the_manifest_names_the_rules_and_the_one_that_is_served_by_default(written):
    manifest = json.loads((written.root / bundle.MANIFEST).read_text())
    assert manifest["default_rule"] == "masker"
    assert {rule: facts["alpha"] for rule, facts in manifest["rules"].items()} == {
        "masker": 0.5,
        "gradient": 0.6,
        "inversion": 0.6,
    }


def test_the_exported_detector_hears_a_track_as_the_trained_one_does(written):
    samples = melody(seconds=35)  # more than one piece
    listener, threshold = bundle_listener(written.root)
    magnitude = frame_magnitudes(written.detector.frontend, samples)
    expected = curve(magnitude, written.detector.network, written.detector.frontend, written.detector.standardise)
    assert threshold == 0.5
    np.testing.assert_allclose(listener(samples), expected, atol=1e-4)


def test_a_recording_shorter_than_a_frame_has_no_curve(written):
    assert len(bundle_listener(written.root)[0](np.zeros(1000, np.float32))) == 0


def test_a_folder_without_a_bundle_says_so(tmp_path):
    with pytest.raises(ExportError, match=r"MANIFEST\.json"):
        bundle_listener(tmp_path)

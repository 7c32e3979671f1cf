"""The precision that was asked for, what refuses it, and where a graph falls back."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.openvino.engine import OpenVinoEngine, OpenVinoOptions
from phonoscope_serving.engines.openvino.processor import bfloat16_units, require_units
from phonoscope_serving.errors import BundleError, EngineLost, OptionsError
from phonoscope_serving.metrics import Metrics
from support.bundles.golden_vectors import golden_inputs
from support.bundles.repository import copied, edit_manifest, put_listed, small

has_units = pytest.mark.skipif(not bfloat16_units(), reason="this processor has no units that multiply in bfloat16")


def reduced(root, metrics):
    engine = OpenVinoEngine(load_bundle(root), OpenVinoOptions(precision="bfloat16", threads=1), metrics)
    engine.load()
    return engine


@has_units
def test_networks_are_reduced_and_all_else_is_exact(tmp_path):
    metrics = Metrics()
    engine = reduced(small(tmp_path), metrics)
    assert engine.precision == "bfloat16"
    assert engine.device == "cpu, OpenVINO, bfloat16"
    assert {engine.precisions[graph] for graph in ("detector", "track_detector", "masker")} == {"bfloat16"}
    assert {engine.precisions[graph] for graph in ("frontend", "mask", "exchange", "listen")} == {"float32"}
    assert [sample for metric in metrics.graph_fallbacks.collect() for sample in metric.samples] == []


@has_units
def test_a_graph_that_comes_too_far_from_float32_runs_in_float32_and_is_named(tmp_path, caplog):
    root, metrics = small(tmp_path), Metrics()
    edit_manifest(root, tolerances={"bfloat16": {"number": 1e-9, "spread": 1e-9, "size": 1e-9}})
    engine = reduced(root, metrics)
    assert engine.precisions["detector"] == "float32"
    assert metrics.registry.get_sample_value("phonoscope_graph_fallbacks", {"graph": "detector"}) == 1
    (told,) = [record for record in caplog.records if getattr(record, "graph", "") == "detector"]
    assert "off the golden one" in told.reason


@has_units
def test_what_a_graph_says_of_itself_counts(tmp_path):
    root = small(tmp_path)
    config = (root / "masker/config.pbtxt").read_text()
    put_listed(
        root, "masker/config.pbtxt", config + 'parameters { key: "precision" value { string_value: "float32" } }'
    )
    assert reduced(root, Metrics()).precisions["masker"] == "float32"


def test_a_processor_without_units_is_refused_in_words(tmp_path):
    without, with_them = tmp_path / "avx2", tmp_path / "amx"
    without.write_text("processor\t: 0\nmodel name\t: Some\nflags\t\t: fpu avx2 avx512f\n")
    with_them.write_text("processor\t: 0\nflags\t\t: fpu avx512f amx_bf16\n")
    with pytest.raises(
        OptionsError, match=r"--precision bfloat16: this processor has no units .* use --precision float32"
    ):
        require_units("bfloat16", without)
    require_units("float32", without)
    require_units("bfloat16", with_them)
    assert bfloat16_units(tmp_path / "no such file") == frozenset()


def test_a_graph_that_is_wrong_in_float32_keeps_the_engine_from_starting_and_is_named(tmp_path):
    root = small(tmp_path)
    golden = load_bundle(root).golden()
    golden["explain_masker.output.relevance"] = 1 - golden["explain_masker.output.relevance"]
    np.savez(tmp_path / "golden.npz", **golden)
    put_listed(root, "golden.npz", (tmp_path / "golden.npz").read_bytes())
    with pytest.raises(BundleError, match=r"explain_masker: relevance is .* off the golden one.*; masker makes it"):
        OpenVinoEngine(load_bundle(root), OpenVinoOptions(threads=1), Metrics()).load()


def test_a_graph_that_cannot_be_loaded_is_named(tmp_path):
    root = copied(tmp_path)
    put_listed(root, "mask/1/model.onnx", b"no graph")
    with pytest.raises(BundleError, match="mask: OpenVINO cannot load the graph"):
        OpenVinoEngine(load_bundle(root), OpenVinoOptions(), Metrics()).load()


def test_a_graph_without_a_tensor_its_config_promises_is_refused(bundle, tmp_path):
    root = copied(tmp_path)
    put_listed(root, "explanation_inverter/1/model.onnx", bundle.graph("detector"))
    with pytest.raises(BundleError, match="explanation_inverter: its graph has no input fc8"):
        OpenVinoEngine(load_bundle(root), OpenVinoOptions(), Metrics()).load()


async def test_both_lanes_run_the_same_graphs_at_once_and_stop_together(tmp_path):
    bundle = load_bundle(small(tmp_path))
    engine = OpenVinoEngine(bundle, OpenVinoOptions(threads=1), Metrics())
    await engine.start()
    inputs = golden_inputs(bundle, "explain_masker")
    alone = engine.run("explain_masker", inputs)
    kinds = [Kind.EXPLAIN, Kind.TRACK] * 6
    answers = await asyncio.gather(*(engine.infer("explain_masker", inputs, work=Work(kind)) for kind in kinds))
    for answer in answers:
        np.testing.assert_allclose(answer["probability"], alone["probability"], rtol=0, atol=1e-5)
    await engine.check()
    await engine.close()
    with pytest.raises(EngineLost):
        await engine.infer("explain_masker", inputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--precision", "bfloat16"], "--precision bfloat16 goes with --engine openvino"),
        (["--engine", "openvino", "--precision", "int8"], "argument --precision: invalid choice: 'int8'"),
        (["--engine", "openvino", "--device", "cuda"], "--engine openvino runs on the CPU"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_cannot_work_are_refused_in_words(options, message):
    command = [sys.executable, "-m", "phonoscope_serving.cli", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert message in done.stderr + done.stdout

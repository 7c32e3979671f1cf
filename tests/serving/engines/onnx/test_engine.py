import asyncio

import numpy as np
import onnxruntime as ort
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError, EngineFailed, EngineLost, OptionsError
from phonoscope_serving.metrics import Metrics
from support.bundles.golden_vectors import assert_golden, golden_inputs
from support.bundles.repository import REPOSITORY, copied, put_listed
from support.corpora.sound import music
from support.same_numbers import assert_same_numbers

REGION = ("alpha", "maximum_area", "masking", "control_seed")


def explain_inputs(rows=1, alpha=0.6, maximum_area=1.0, masking=2):
    return {
        "samples": np.stack([music(36934 / 22050, seed=row) * (1 + row) for row in range(rows)]),
        "alpha": np.full((rows, 1), alpha, np.float32),
        "maximum_area": np.full((rows, 1), maximum_area, np.float32),
        "masking": np.full((rows, 1), masking, np.int32),
        "control_seed": np.arange(rows, dtype=np.int32)[:, None],
    }


def by_hand(model, outputs, **inputs):
    """One graph, run by ONNX Runtime alone."""
    session = ort.InferenceSession(f"{REPOSITORY}/{model}/1/model.onnx", providers=["CPUExecutionProvider"])
    return session.run(outputs, inputs)


@pytest.mark.parametrize(
    "ensemble", ["explain_masker", "explain_gradient", "explain_inversion", "heard", "predict", "invert_layers"]
)
def test_golden_vectors_are_reproduced(bare, bundle, ensemble):
    assert_golden(bundle, ensemble, bare.run(ensemble, golden_inputs(bundle, ensemble)))


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_the_same_asked_of_one_graph_several_times_is_run_as_one_batch(bundle, rows):
    metrics = Metrics()
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), metrics)
    engine.load()

    def runs():
        return metrics.registry.get_sample_value("phonoscope_graph_seconds_count", {"graph": "detector"})

    before = runs()
    engine.run("explain_masker", explain_inputs(rows))
    # Each part of 4 rows: once as it is, then region, remainder and three random regions, as many as fit into 4 rows.
    assert runs() - before == {1: 1 + 2, 2: 1 + 3, 5: (1 + 5) + (1 + 2)}[rows]


def test_the_ensemble_equals_its_graphs_run_by_hand(bare):
    inputs = explain_inputs(rows=2)
    log_mel, standardised = by_hand("frontend", ["log_mel", "standardised"], samples=inputs["samples"])
    seen = ["conv2", "conv5", "fc8"]
    *layers, probability = by_hand("detector", [*seen, "probability"], excerpt=standardised)
    fc8 = layers[-1]
    (inverted,) = by_hand("explanation_inverter", ["inverted"], fc8=fc8, excerpt=standardised)
    (relevance,) = by_hand("masker", ["relevance"], **dict(zip(seen, layers, strict=True)))
    masked = by_hand(
        "mask",
        ["mask", "explanation", "remainder", "control_1", "control_2", "control_3", "relative_area", "control_regions"],
        log_mel=log_mel,
        standardised=standardised,
        relevance=relevance,
        **{name: inputs[name] for name in REGION},
    )
    expected = {
        "log_mel": log_mel,
        "relevance": relevance,
        "inverted": inverted,
        "probability": probability,
        "mask": masked[0],
    }
    expected |= {"explanation": masked[1], "relative_area": masked[6], "control_regions": masked[7]}
    for name, kept in zip(("masked", "removed", "control_1", "control_2", "control_3"), masked[1:6], strict=True):
        (expected[f"{name}_probability"],) = by_hand("detector", ["probability"], excerpt=kept)
    answer = bare.run("explain_masker", inputs)
    assert_same_numbers({name: answer[name] for name in expected}, expected)


@pytest.mark.parametrize("ensemble", ["masked", "evidence"])
def test_what_tries_a_known_relevance_equals_the_second_half_of_explain(bare, ensemble):
    inputs = explain_inputs(rows=2, alpha=0.3, masking=1)
    whole = bare.run("explain_masker", inputs)
    half = bare.run(
        ensemble,
        {name: whole[name] for name in ("log_mel", "standardised", "relevance")}
        | {name: inputs[name] for name in REGION},
    )
    assert_same_numbers(half, {name: whole[name] for name in half})


@pytest.mark.parametrize("outputs", [["probability"], ["reconstruction_error_mp3", "inverted_fc8"], ["log_mel"]])
async def test_the_outputs_wanted_are_the_ones_that_come_and_are_what_they_always_are(engine, bare, outputs):
    inputs = {"samples": explain_inputs(rows=2)["samples"]}
    everything = bare.run("invert_layers", inputs)
    answer = await engine.infer("invert_layers", inputs, outputs=outputs)
    assert answer.keys() == set(outputs)
    for name, tensor in answer.items():
        np.testing.assert_allclose(tensor, everything[name], atol=1e-5, err_msg=name)


async def test_an_output_the_model_does_not_have_is_refused(engine):
    with pytest.raises(EngineFailed, match="explain_masker: there is no output applause"):
        await engine.infer("explain_masker", explain_inputs(), outputs=["mask", "applause"])


async def test_callers_who_want_different_outputs_each_get_their_own(engine):
    wanted = [["inverted_fc8"], ["inverted_conv1", "probability"], ["inverted_fc8"]] * 2
    inputs = {"samples": explain_inputs()["samples"]}
    answers = await asyncio.gather(*(engine.infer("invert_layers", inputs, outputs=each) for each in wanted))
    assert [set(answer) for answer in answers] == [set(each) for each in wanted]


async def test_callers_who_are_run_together_get_what_they_would_get_alone(engine, bare):
    inputs = explain_inputs(rows=9)
    single = [{name: tensor[row : row + 1] for name, tensor in inputs.items()} for row in range(9)]
    together = await asyncio.gather(*(engine.infer("explain_masker", row) for row in single))
    for row, answer in zip(single, together, strict=True):
        assert_same_numbers(answer, bare.run("explain_masker", row))


def test_more_rows_than_are_run_together_get_what_each_would_get_alone(bare):
    inputs = explain_inputs(rows=9)
    wanted = ("mask", "probability", "control_regions")
    together = bare.run("explain_masker", inputs, wanted)
    assert {len(tensor) for tensor in together.values()} == {9}
    for row in range(9):
        alone = bare.run("explain_masker", {name: each[row : row + 1] for name, each in inputs.items()}, wanted)
        assert_same_numbers({name: each[row : row + 1] for name, each in together.items()}, alone)


async def test_together_means_fewer_runs_than_callers(bundle):
    metrics = Metrics()
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", batch_rows=8), metrics)
    await engine.start()
    await asyncio.gather(*(engine.infer("explain_masker", explain_inputs()) for _ in range(9)))
    await engine.close()
    assert metrics.registry.get_sample_value("phonoscope_batch_rows_sum", {"model": "explain_masker"}) == 9
    assert metrics.registry.get_sample_value("phonoscope_batch_rows_count", {"model": "explain_masker"}) <= 3


async def test_a_model_that_is_not_batched_runs_tracks_one_by_one(engine, bare):
    def track(seconds):
        silence = np.full((1, 1), 57, np.int32)
        return {"samples": music(seconds)[None], "silence_before": silence, "silence_after": silence}

    answers = await asyncio.gather(*(engine.infer("predict", track(seconds)) for seconds in (2, 3, 2)))
    assert [answer["probability"].shape for answer in answers] == [(1, 137), (1, 207), (1, 137)]
    np.testing.assert_allclose(answers[1]["probability"], bare.run("predict", track(3))["probability"], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": np.zeros((1, 100), np.float32)}, r"input samples has shape \[100\], not \[36934\]"),
        ({"samples": np.zeros((1, 36934))}, "input samples is float64, not float32"),
        ({"alpha": np.zeros((2, 1), np.float32)}, r"rows must be equal and 1 to 64, not \[1, 2\]"),
        ({"alpha": np.zeros((1, 1, 1), np.float32)}, r"input alpha has shape \[1, 1\], not \[1\]"),
        ({"surplus": np.zeros((1, 1), np.float32)}, "inputs are"),
    ],
)
async def test_inputs_that_do_not_fit_are_refused_before_they_join_a_batch(engine, change, message):
    with pytest.raises(EngineFailed, match=message):
        await engine.infer("explain_masker", explain_inputs() | change)


async def test_more_rows_than_the_model_takes_are_refused(engine):
    with pytest.raises(EngineFailed, match=r"1 to 64, not \[65\]"):
        await engine.infer("explain_masker", explain_inputs(rows=65))


async def test_an_engine_that_is_not_running_says_so(bundle):
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu"), Metrics())
    with pytest.raises(EngineLost):
        await engine.infer("explain_masker", explain_inputs())
    with pytest.raises(EngineLost):
        await engine.check()
    await engine.start()
    await engine.check()
    await engine.close()
    with pytest.raises(EngineLost):
        await engine.infer("explain_masker", explain_inputs())


async def test_numbers_other_than_the_golden_ones_keep_the_engine_from_starting(tmp_path, bundle):
    root = copied(tmp_path)
    golden = bundle.golden()
    golden["explain_masker.output.probability"] = 1 - golden["explain_masker.output.probability"] + 0.1
    np.savez(tmp_path / "golden.npz", **golden)
    put_listed(root, "golden.npz", (tmp_path / "golden.npz").read_bytes())
    with pytest.raises(BundleError, match=r"explain_masker: probability is .* off the golden one"):
        OnnxEngine(load_bundle(root), OnnxOptions(device="cpu"), Metrics()).load()


async def test_an_inverter_that_rebuilds_something_else_keeps_the_engine_from_starting(tmp_path, bundle):
    root = copied(tmp_path)
    golden = bundle.golden()
    golden["invert_layers.output.reconstruction_error_mp6"] += 0.05
    np.savez(tmp_path / "golden.npz", **golden)
    put_listed(root, "golden.npz", (tmp_path / "golden.npz").read_bytes())
    with pytest.raises(BundleError, match=r"invert_layers: reconstruction_error_mp6 is 0\.0.* off the golden one"):
        OnnxEngine(load_bundle(root), OnnxOptions(device="cpu"), Metrics()).load()


def test_a_graph_that_cannot_be_loaded_is_named(tmp_path):
    root = copied(tmp_path)
    put_listed(root, "mask/1/model.onnx", b"no graph")
    with pytest.raises(BundleError, match="mask: ONNX Runtime cannot load the graph"):
        OnnxEngine(load_bundle(root), OnnxOptions(device="cpu"), Metrics()).load()


def test_a_graph_without_a_tensor_its_config_promises_is_refused(bundle, tmp_path):
    root = copied(tmp_path)
    put_listed(root, "explanation_inverter/1/model.onnx", bundle.graph("detector"))
    with pytest.raises(BundleError, match="explanation_inverter: its graph has no input fc8"):
        OnnxEngine(load_bundle(root), OnnxOptions(device="cpu"), Metrics()).load()


def test_a_device_that_is_not_there_is_refused(bundle):
    if "CUDAExecutionProvider" in ort.get_available_providers():
        assert OnnxEngine(bundle, OnnxOptions(device="cuda"), Metrics()).device == "cuda"
        return
    with pytest.raises(OptionsError, match="no CUDA provider"):
        OnnxEngine(bundle, OnnxOptions(device="cuda"), Metrics())

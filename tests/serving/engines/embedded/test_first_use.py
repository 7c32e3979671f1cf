"""Models that are loaded when they are first asked: proven before they answer, once for all callers."""

import asyncio
import logging

import numpy as np
import onnx
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.embedded.first_use import FirstUse
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError, DeadlinePassed, EngineLost, NotProven
from phonoscope_serving.metrics import Metrics
from support.bundles.golden_vectors import assert_golden, golden_inputs
from support.bundles.repository import put_listed, small

PREDICT = {"frontend", "track_detector"}


def lazy(bundle, *at_start, metrics=None):
    return OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), metrics or Metrics(), at_start)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
async def engine(bundle, metrics):
    engine = lazy(bundle, metrics=metrics)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
async def broken(tmp_path, metrics):
    """An engine of a bundle whose masker answers otherwise than its golden vectors."""
    root = small(tmp_path)
    masker = onnx.load_from_string(load_bundle(root).graph("masker"))
    for weight in masker.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT and len(weight.dims) > 1:
            weight.CopyFrom(onnx.numpy_helper.from_array(np.zeros(weight.dims, np.float32), weight.name))
    put_listed(root, "masker/1/model.onnx", masker.SerializeToString())
    engine = lazy(load_bundle(root), metrics=metrics)
    await engine.start()
    yield engine
    await engine.close()


def loaded(metrics):
    return {
        sample.labels["graph"]
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "phonoscope_graphs_loaded" and sample.value > 0
    }


def refused(metrics, model):
    return metrics.registry.get_sample_value("phonoscope_models_refused", {"model": model})


async def test_nothing_but_the_front_end_is_loaded_before_anybody_asks(engine, metrics):
    assert loaded(metrics) == {"frontend"}
    assert engine.in_use == set()
    assert not engine.is_ready("predict")
    await engine.check()


async def test_what_is_asked_is_loaded_with_what_it_is_composed_of_and_nothing_else(engine, metrics, bundle):
    asked = golden_inputs(bundle, "predict")
    assert_golden(bundle, "predict", await engine.infer("predict", asked))
    assert loaded(metrics) == PREDICT
    assert engine.in_use == {"predict"}
    assert engine.is_ready("predict")


async def test_callers_who_ask_at_once_wait_for_one_loading(engine, bundle, caplog):
    asked = golden_inputs(bundle, "predict")
    with caplog.at_level(logging.INFO, "phonoscope.engine"):
        answers = await asyncio.gather(*(engine.infer("predict", asked) for _ in range(4)))
    assert [record.model for record in caplog.records if hasattr(record, "loaded_s")] == ["predict"]
    for answer in answers:
        assert_golden(bundle, "predict", answer)


async def test_a_model_without_golden_vectors_of_its_own_is_proven_by_those_of_others(engine, metrics, bundle):
    named = {tensor.name for tensor in bundle.models["masked"].input}
    golden = bundle.golden()
    inputs = {
        name: golden[f"explain_masker.input.{name}"] for name in named if f"explain_masker.input.{name}" in golden
    }
    inputs |= {name: golden[f"explain_masker.output.{name}"] for name in named - inputs.keys()}
    answer = await engine.infer("masked", inputs)
    np.testing.assert_allclose(
        answer["masked_probability"], golden["explain_masker.output.masked_probability"], atol=0.01
    )
    proving = {"detector", "mask"}
    assert proving < loaded(metrics), "an explanation's golden vectors prove both, and need their rule"


async def test_who_does_not_wait_for_the_loading_leaves_it_to_the_next(engine, bundle):
    asked, now = golden_inputs(bundle, "predict"), asyncio.get_running_loop().time()
    with pytest.raises(DeadlinePassed, match="while predict was loaded, which is its first use"):
        await engine.infer("predict", asked, deadline=now + 0.001)
    assert_golden(bundle, "predict", await engine.infer("predict", asked))


async def test_what_fails_its_proof_is_refused_in_words_and_everything_else_goes_on(broken, metrics, bundle, caplog):
    asked = golden_inputs(bundle, "explain_masker")
    with caplog.at_level(logging.ERROR, "phonoscope.engine"):
        for _ in range(2):  # and is not loaded again
            with pytest.raises(NotProven, match=r"explain_masker is not used, .* its proof: .* off the golden one"):
                await broken.infer("explain_masker", asked)
    assert [(record.message, record.model) for record in caplog.records] == [("a model is refused", "explain_masker")]
    assert refused(metrics, "explain_masker") == 1
    assert broken.in_use == set()
    assert_golden(bundle, "predict", await broken.infer("predict", golden_inputs(bundle, "predict")))


async def test_a_refusal_is_forgotten_with_its_bundle(broken, metrics, bundle):
    with pytest.raises(NotProven):
        await broken.infer("explain_masker", golden_inputs(bundle, "explain_masker"))
    await broken.close()
    assert refused(metrics, "explain_masker") == 0
    assert loaded(metrics) == set()


async def test_what_is_in_use_is_proven_before_another_bundle_takes_over(broken, bundle, metrics):
    good = lazy(bundle, "predict", metrics=metrics)
    await good.start()
    assert good.in_use == {"predict"}
    await good.close()
    bad = OnnxEngine(broken._bundle, OnnxOptions(device="cpu", threads=1), metrics, ["explain_masker"])
    with pytest.raises(BundleError, match="explain_masker is not used, since it failed its proof"):
        await bad.start()
    await bad.close()


async def test_what_is_no_fault_of_the_bundle_is_tried_again():
    tried = []

    def load(model):
        tried.append(model)
        if len(tried) == 1:
            raise MemoryError

    first_use = FirstUse(load, Metrics())
    with pytest.raises(MemoryError):
        await first_use.of("predict", None)
    assert first_use.ready == set()
    await first_use.of("predict", None)
    assert tried == ["predict", "predict"]
    assert first_use.ready == {"predict"}
    await first_use.close()


async def test_who_waits_for_a_loading_when_the_engine_stops_is_told():
    first_use = FirstUse(lambda model: None, Metrics())
    async with first_use._one:  # another is being loaded
        waiting = asyncio.create_task(first_use.of("predict", None))
        await asyncio.sleep(0.01)
        await first_use.close()
        with pytest.raises(EngineLost, match="the engine has stopped"):
            await waiting

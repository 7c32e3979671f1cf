"""What the engine refuses, and what it makes of the server's refusals."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.triton.engine import TritonEngine, TritonOptions
from phonoscope_serving.errors import BundleError, DeadlinePassed, EngineFailed, EngineLost, QueueFull
from phonoscope_serving.metrics import Metrics
from support.bundles.repository import copied, put_listed, replace
from support.triton.inputs import explain_inputs, inputs_of
from triton_server.server import CLIENT_S

pytestmark = pytest.mark.triton
WAIT_S = 600.0
ROUNDS = 100  # whether calls meet is the machine's affair: they come together again until they have

ALTERED = [
    ("detector", '"conv1,conv2,', '"conv2,conv1,', "parameter layers is 'conv1,conv2,"),
    ("explanation_inverter", "max_batch_size: 64", "max_batch_size: 32", "max_batch_size is 64 there and 32"),
    ("listen", '"audio"', '"sound"', "output sound is missing there"),
    ("listen", "dims: 36934", "dims: 36933", r"input samples is TYPE_FP32 \[36934\] there"),
    ("mask", "TYPE_INT32", "TYPE_INT64", r"input masking is TYPE_INT32 \[1\] there and TYPE_INT64 \[1\] in"),
    ("explain_masker", 'value: "remainder"', 'value: "removed"', "step 6 is mask"),
]


@pytest.mark.parametrize(("model", "old", "new", "message"), ALTERED)
async def test_a_server_with_another_bundle_is_refused_by_name(server, tmp_path, model, old, new, message):
    root = copied(tmp_path)
    replace(root, f"{model}/config.pbtxt", old, new)
    with pytest.raises(BundleError, match=f"{server.address} has another model {model}: {message}"):
        await TritonEngine(load_bundle(root), TritonOptions(server.address), Metrics()).start()


async def test_a_server_with_other_weights_in_a_graph_is_refused_by_name(server, bundle, tmp_path):
    root = copied(tmp_path)
    digest = bundle.models["detector"].parameters["graph_sha256"].string_value
    assert digest == bundle.files["detector/1/model.onnx"]
    replace(root, "detector/config.pbtxt", digest, "0" * 64)
    with pytest.raises(BundleError, match=f"another model detector: parameter graph_sha256 is '{digest}' there"):
        await TritonEngine(load_bundle(root), TritonOptions(server.address), Metrics()).start()


async def test_a_server_without_one_of_the_models_is_refused_by_name(server, tmp_path):
    root = copied(tmp_path)
    (root / "another").mkdir()
    config = (root / "listen/config.pbtxt").read_text().replace('name: "listen"', 'name: "another"')
    put_listed(root, "another/config.pbtxt", config)
    with pytest.raises(BundleError, match=f"{server.address} has no model another"):
        await TritonEngine(load_bundle(root), TritonOptions(server.address), Metrics()).start()


async def test_a_server_that_computes_other_numbers_is_refused(server, bundle, tmp_path):
    root = copied(tmp_path)
    golden = bundle.golden()
    golden["explain_masker.output.probability"] = 1 - golden["explain_masker.output.probability"] + 0.1
    np.savez(tmp_path / "golden.npz", **golden)
    put_listed(root, "golden.npz", (tmp_path / "golden.npz").read_bytes())
    with pytest.raises(BundleError, match=r"explain_masker: probability is .* off the golden one"):
        await TritonEngine(load_bundle(root), TritonOptions(server.address), Metrics()).start()


async def test_a_server_that_is_not_there_is_said_to_be_away(bundle):
    with pytest.raises(EngineLost, match=r"127\.0\.0\.1:9 was not ready within 0\.2 s"):
        await TritonEngine(bundle, TritonOptions("127.0.0.1:9", start_s=0.2), Metrics()).start()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": np.zeros((1, 100), np.float32)}, r"input samples has shape \[100\], not \[36934\]"),
        ({"samples": np.zeros((1, 36934))}, "input samples is float64, not float32"),
        ({"alpha": np.zeros((2, 1), np.float32)}, r"rows must be equal and 1 to 64, not \[1, 2\]"),
        ({"surplus": np.zeros((1, 1), np.float32)}, "inputs are"),
    ],
)
async def test_inputs_that_do_not_fit_are_refused_before_they_are_sent(engine, change, message):
    with pytest.raises(EngineFailed, match=message):
        await engine.infer("explain_masker", explain_inputs() | change)


async def test_an_output_the_model_does_not_have_is_refused_before_it_is_asked_for(engine):
    with pytest.raises(EngineFailed, match="explain_masker: there is no output applause"):
        await engine.infer("explain_masker", explain_inputs(), outputs=["applause"])


async def test_inputs_the_graph_cannot_take_are_the_engines_failure(engine):
    one_frame = {"standardised": np.zeros((1, 1, 80), np.float32)}  # and no neighbours
    silence = {name: np.zeros((1, 1), np.int32) for name in ("silence_before", "silence_after")}
    with pytest.raises(EngineFailed, match="track_detector could not be run"):
        await engine.infer("track_detector", one_frame | silence)


async def test_an_unknown_model_and_a_stopped_engine_are_unavailable(server, bundle):
    engine = TritonEngine(bundle, TritonOptions(server.address), Metrics())
    with pytest.raises(EngineLost, match="not running explain"):
        await engine.infer("explain_masker", explain_inputs())
    await engine.start()
    with pytest.raises(EngineLost, match="not running nothing"):
        await engine.infer("nothing", explain_inputs())
    waiting = asyncio.create_task(engine.infer("explain_masker", explain_inputs(8)))
    await asyncio.sleep(0)  # it is sent
    await engine.close()
    with pytest.raises(EngineLost):
        await waiting


async def test_a_model_the_server_unloads_is_unavailable_until_it_is_loaded_again(own_server, bundle, embedded):
    await asyncio.to_thread(own_server.start)
    metrics = Metrics()
    engine = TritonEngine(bundle, TritonOptions(own_server.address, return_s=WAIT_S), metrics)
    await engine.start()
    inputs = inputs_of("sonify", 1, embedded.run)
    with own_server.client() as client:
        client.unload_model("sonify", client_timeout=CLIENT_S)
        # Found by the first; the second waits for a comparison; all others are refused at once.
        for message in ("cannot run sonify now", "has no model sonify", "has no model sonify"):
            with pytest.raises(EngineLost, match=message):
                await engine.infer("sonify", inputs)
        assert metrics.registry.get_sample_value("phonoscope_engine_available") == 0
        client.load_model("sonify", client_timeout=CLIENT_S)
    while not metrics.registry.get_sample_value("phonoscope_engine_available"):
        await asyncio.sleep(0.05)  # by itself
    assert (await engine.infer("sonify", inputs))["audio"].shape == (1, 36934)
    await engine.close()


async def test_a_lost_server_is_said_to_be_lost_before_the_deadline(own_server, bundle, clock):
    await asyncio.to_thread(own_server.start)
    engine = TritonEngine(bundle, TritonOptions(own_server.address, return_s=2 * WAIT_S), Metrics())
    await engine.start()
    await asyncio.to_thread(own_server.kill)
    deadline = clock.time() + WAIT_S
    with pytest.raises(EngineLost, match=f"the Triton server at {own_server.address}"):
        await engine.infer("explain_masker", explain_inputs(), deadline=deadline)
    assert clock.time() < deadline
    # Now it is known to be lost, and would be waited for until long after the deadline.
    deadline = clock.time() + WAIT_S
    call = asyncio.create_task(engine.infer("explain_masker", explain_inputs(), deadline=deadline))
    await asyncio.sleep(0.2)
    assert not call.done()
    clock.skip(0.6 * WAIT_S)
    with pytest.raises(EngineLost, match=f"the Triton server at {own_server.address} does not answer"):
        await call
    assert clock.time() < deadline
    await engine.close()


async def test_a_deadline_ends_the_wait(engine):
    now = asyncio.get_running_loop().time
    with pytest.raises(DeadlinePassed):
        await engine.infer("explain_masker", explain_inputs(), deadline=now() - 1)
    with pytest.raises(DeadlinePassed):
        await engine.infer("explain_masker", explain_inputs(64), deadline=now() + 0.01)


async def test_requests_whose_callers_left_are_not_run(server, engine, embedded):
    def rows():
        with server.client() as client:
            (model,) = client.get_inference_statistics("listen", client_timeout=CLIENT_S).model_stats
        return model.inference_count

    before, inputs = rows(), inputs_of("listen", 8, embedded.run)
    calls = [asyncio.create_task(engine.infer("listen", inputs, continues=True)) for _ in range(32)]
    await calls[0]
    for call in calls[1:]:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await engine.infer("listen", inputs)  # comes after whatever is left of them
    assert rows() - before < 8 * len(calls)


@pytest.mark.parametrize("shared_memory", ["on", "off"])
async def test_a_server_outlives_callers_who_leave_and_deadlines_that_pass(own_server, bundle, shared_memory):
    """Taking calls back ended the server of these tests within fifty such calls."""
    await asyncio.to_thread(own_server.start)
    engine = TritonEngine(bundle, TritonOptions(own_server.address, shared_memory=shared_memory), Metrics())
    await engine.start()
    random = np.random.default_rng(0)

    async def ask():
        await asyncio.sleep(random.uniform(0, 0.2))
        deadline = asyncio.get_running_loop().time() + random.choice([0.05, 0.15, 0.4, WAIT_S])
        call = asyncio.create_task(engine.infer("explain_masker", explain_inputs(2), deadline=deadline))
        if random.random() < 0.5:
            await asyncio.sleep(random.uniform(0, 0.3))
            call.cancel()
        await asyncio.wait({call})
        return type(None if call.cancelled() else call.exception())

    for _ in range(4):
        assert {type(None), DeadlinePassed} >= set(await asyncio.gather(*(ask() for _ in range(24))))
    assert (await engine.infer("explain_masker", explain_inputs()))["probability"].shape == (1, 1)
    assert not own_server.crashed
    await engine.close()


async def test_more_rows_than_may_be_in_flight_are_refused_unless_their_request_has_begun(server, bundle):
    metrics = Metrics()
    engine = TritonEngine(bundle, TritonOptions(server.address, queue_rows=4), metrics)
    await engine.start()
    answers = await asyncio.gather(
        engine.infer("explain_masker", explain_inputs(3)),
        engine.infer("explain_masker", explain_inputs(2)),
        engine.infer("explain_masker", explain_inputs(2), continues=True),
        return_exceptions=True,
    )
    await engine.close()
    assert [type(answer) for answer in answers] == [dict, QueueFull, dict]
    assert answers[1].retry_after_s > 0
    assert metrics.registry.get_sample_value("phonoscope_queue_rows", {"model": "explain_masker"}) == 0
    assert (
        metrics.registry.get_sample_value("phonoscope_engine_seconds_count", {"model": "explain_masker"}) == 3
    )  # one golden


async def test_a_full_queue_of_the_server_is_a_full_queue(own_server, bundle, embedded):
    config = Path(own_server.repository / "listen/config.pbtxt")
    config.write_text(config.read_text().replace("max_queue_size: 256", "max_queue_size: 1"))
    await asyncio.to_thread(own_server.start)
    engine = TritonEngine(bundle, TritonOptions(own_server.address), Metrics())
    await engine.start()
    inputs = inputs_of("listen", 1, embedded.run)
    for _ in range(ROUNDS):
        calls = [engine.infer("listen", inputs) for _ in range(32)]
        outcomes = {type(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True)}
        if QueueFull in outcomes:
            break
    await engine.close()
    assert outcomes == {dict, QueueFull}

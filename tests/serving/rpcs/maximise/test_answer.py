"""Maximisation on a real engine: each row by itself, whoever it shares the engine with."""

import asyncio
import dataclasses
import shutil

import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError, DeadlinePassed, InvalidRequest
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.maximise.answer import Example, Progress, maximise
from phonoscope_serving.rpcs.maximise.question import MaximisationQuestion, ResponseTerm
from phonoscope_serving.rpcs.maximise.settings import MaximisationSettings, maximiser
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.miniature_ascent import SETTINGS, STEPS_PER_CALL, bundle_that_can_maximise
from support.bundles.repository import edit_manifest, put, replace, without_generator
from triton_server.server import linked

HANG_S = 600.0  # what takes longer hangs
ENDLESS = 10**8  # steps: nobody lives to see the last
LOGIT = (ResponseTerm("logit", None, 1.0),)


@pytest.fixture(scope="module")
def climbing_root(tmp_path_factory):
    return bundle_that_can_maximise(tmp_path_factory.mktemp("climbing"))


@pytest.fixture(scope="module")
def climbing_bundle(climbing_root):
    return load_bundle(climbing_root)


@pytest.fixture
def own_root(climbing_root, tmp_path):
    """A copy to alter."""
    return shutil.copytree(climbing_root, tmp_path / "repository", copy_function=linked)


class Counted:
    """An engine, and the batches of its models since `begin`: how many rows each had."""

    def __init__(self, bundle, **options):
        self.metrics = Metrics()
        self.engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1, **options), self.metrics)
        self.bundle, self.known = bundle, maximiser(bundle)
        self._before = {"sum": 0, "count": 0}

    def begin(self):
        self._before = {what: self._total(what) for what in self._before}

    def maximise(self, asked, deadline=None):
        call = Call(self.engine, self.bundle, Decoder(1), deadline)
        return maximise(call, self.known, asked)

    def count(self, what):
        return self._total(what) - self._before[what]

    def _total(self, what):
        name = f"phonoscope_batch_rows_{what}"
        return self.metrics.registry.get_sample_value(name, {"model": "maximise"}) or 0


@pytest.fixture(scope="module")
async def started(climbing_bundle):
    counted = Counted(climbing_bundle)
    await counted.engine.start()
    yield counted
    await counted.engine.close()


@pytest.fixture
def counted(started):
    started.begin()
    return started


async def wait_until(holds):
    async with asyncio.timeout(HANG_S):
        while not holds():
            await asyncio.sleep(0.001)


async def left(task):
    """Cancels a request, and waits until it has gone."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def assert_nobody_else_asks(counted):
    """Whoever had asked before has left by the next boundary."""
    batches = counted.count("count")
    await answered(counted, question(steps=2 * STEPS_PER_CALL, seed=1))  # two boundaries later
    rows = counted.count("sum")
    await answered(counted, question(steps=2 * STEPS_PER_CALL, seed=1))
    assert counted.count("count") - batches <= 1 + 2 * 4  # one was running, and either question takes four
    assert counted.count("sum") - rows <= 4 + 2  # nobody else's: the steps', and the two points judged in the end


def question(terms=LOGIT, position=None, direction="maximise", examples=1, seed=0, listen=False, **settings):
    chosen = MaximisationSettings(**{"steps": 10, "learning_rate": 0.05, "prior_weight": 0.01} | settings)
    return MaximisationQuestion(tuple(terms), position, direction, examples, seed, chosen, listen)


async def answered(counted, asked, deadline=None):
    events = [event async for event in counted.maximise(asked, deadline)]
    split = [event for event in events if isinstance(event, Progress)], [e for e in events if isinstance(e, Example)]
    assert events == [*split[0], *split[1]]  # progress first
    return split


async def test_an_ascent_tells_how_far_it_is_and_then_what_it_found(counted):
    progress, examples = await answered(counted, question(examples=3))
    steps = [event.step for event in progress]
    assert steps[-1] == (10, 10, 10)
    assert all(list(row) == sorted(row) for row in zip(*steps, strict=True))
    assert [example.index for example in examples] == [0, 1, 2]
    for row, example in enumerate(examples):
        assert example.found.response > example.initial.response
        assert example.found.log_mel.shape == (115, 80)
        assert example.found.audio is None
        assert example.found.response >= progress[-1].response[row] - 1e-4  # the best is no worse than the last


async def test_minimising_finds_less_and_keeps_the_prior(counted):
    _, (example,) = await answered(counted, question(direction="minimise"))
    assert example.found.response < example.initial.response
    _, (held,) = await answered(counted, question(direction="minimise", prior_weight=1.0))
    assert held.found.prior > example.found.prior


async def test_no_steps_leave_the_start_as_it_is(counted):
    progress, (example,) = await answered(counted, question(steps=0))
    assert progress[-1].step == (0,)
    assert example.found.response == pytest.approx(example.initial.response, abs=1e-5)
    np.testing.assert_allclose(example.found.log_mel, example.initial.log_mel, atol=1e-5)


async def test_the_same_seed_begins_at_the_same_sounds_whatever_is_asked(counted):
    _, (first, second) = await answered(counted, question(examples=2, seed=3))
    _, (other,) = await answered(counted, question([ResponseTerm("fc8", 5, -2.0)], direction="minimise", seed=3))
    _, (elsewhere,) = await answered(counted, question(seed=4))
    np.testing.assert_allclose(other.initial.log_mel, first.initial.log_mel, atol=1e-5)
    assert np.abs(second.initial.log_mel - first.initial.log_mel).max() > 0.1
    assert np.abs(elsewhere.initial.log_mel - first.initial.log_mel).max() > 0.1


async def test_a_response_is_the_weighted_sum_of_its_terms(counted):
    async def initial(*terms, position=None):
        _, (example,) = await answered(counted, question(terms, position, steps=0))
        return example.initial.response

    five, six = await initial(ResponseTerm("fc8", 5, 1.0)), await initial(ResponseTerm("fc8", 6, 1.0))
    both = await initial(ResponseTerm("fc8", 5, 2.0), ResponseTerm("fc8", 6, -1.0))
    assert both == pytest.approx(2 * five - six, abs=1e-5)
    each = [await initial(ResponseTerm("conv1", channel, 1.0)) for channel in range(64)]
    assert await initial(ResponseTerm("conv1", None, 1.0)) == pytest.approx(np.mean(each), abs=1e-5)
    at_a_place = await initial(ResponseTerm("conv1", 7, 1.0), position=(112, 77))
    assert at_a_place == pytest.approx(2 * each[7], abs=1e-5)  # as the miniature has it


async def test_sound_follows_the_pictures_and_comes_only_when_asked_for(counted, climbing_bundle):
    _, (example,) = await answered(counted, question(steps=0, listen=True))
    samples = climbing_bundle.default.front_end.excerpt_samples
    assert example.initial.audio.shape == example.found.audio.shape == (samples,)
    np.testing.assert_allclose(example.found.audio, example.initial.audio, atol=1e-5)  # it has not moved
    _, (again,) = await answered(counted, question(steps=0, listen=True))
    np.testing.assert_allclose(again.found.audio, example.found.audio, atol=1e-5)


async def test_rows_of_different_requests_share_batches_and_find_what_they_find_alone(counted):
    asked = [
        question(steps=10, seed=1),
        question(steps=3, seed=2, learning_rate=0.2),
        question([ResponseTerm("fc8", 9, 1.0)], direction="minimise", steps=17, seed=3),
        question(steps=6, seed=4, prior_weight=1.0),
    ]
    alone = [await answered(counted, each) for each in asked]
    rows, batches = counted.count("sum"), counted.count("count")
    assert rows == batches + len(asked)  # one row a batch, but for the two points that each is judged by in the end
    together = await asyncio.gather(*(answered(counted, each) for each in asked))
    for (_, (apart,)), (_, (shared,)) in zip(alone, together, strict=True):
        assert shared.found.response == pytest.approx(apart.found.response, abs=1e-4)
        np.testing.assert_allclose(shared.found.log_mel, apart.found.log_mel, atol=1e-3)
    assert counted.count("sum") - rows > 1.5 * (counted.count("count") - batches)  # several rows a batch


async def test_a_request_joins_others_at_their_next_boundary(counted):
    first = asyncio.create_task(answered(counted, question(steps=ENDLESS)))
    await wait_until(lambda: counted.count("count") >= 2)
    rows, batches = counted.count("sum"), counted.count("count")
    await answered(counted, question(steps=2 * STEPS_PER_CALL, seed=1))
    joined = counted.count("sum") - rows - (counted.count("count") - batches)
    assert not first.done()
    assert joined >= 2  # it was the second row of some batches
    await left(first)


async def test_a_cancelled_request_has_left_by_the_next_boundary(counted):
    leaving = asyncio.create_task(answered(counted, question(examples=2, steps=ENDLESS)))
    await wait_until(lambda: counted.count("count") >= 3)
    await left(leaving)
    await assert_nobody_else_asks(counted)


async def test_a_slow_follower_is_still_told_of_the_last_step(counted):
    await answered(counted, question(examples=2))
    rows = counted.count("sum") - 2 * 2  # but for the two points that each is judged by in the end
    counted.begin()
    steps = []
    async for event in counted.maximise(question(examples=2)):
        if isinstance(event, Progress):
            steps.append(event.step)
            await wait_until(lambda: counted.count("sum") >= rows)
            await asyncio.sleep(0.01)  # the last step is known, too
    assert steps[0] != steps[-1] == (10, 10)


async def test_a_follower_who_stops_following_ends_the_work(counted):
    events = counted.maximise(question(steps=ENDLESS))
    assert (await anext(events)).step[0] < ENDLESS
    await events.aclose()
    await assert_nobody_else_asks(counted)


async def test_a_deadline_ends_the_work(counted):
    now = asyncio.get_running_loop().time()
    with pytest.raises(DeadlinePassed):
        await answered(counted, question(steps=ENDLESS), deadline=now + 0.05)
    await assert_nobody_else_asks(counted)


@pytest.mark.parametrize(
    ("terms", "position", "violations"),
    [
        ([ResponseTerm("fc9", None, 1.0)], None, {"terms[0].layer": "is 'fc9'; the detector has conv1, fc8, logit"}),
        ([*LOGIT, ResponseTerm("fc8", 64, 1.0)], None, {"terms[1].channel": "is 64; fc8 has 0 to 63"}),
        ([ResponseTerm("x" * 1000, 0, 1.0)], None, {"terms[0].layer": f"is '{'x' * 40}'"}),
        (LOGIT, (0, 0), {"position": "needs terms of one of the layers conv1, and of no other"}),
        ([ResponseTerm("conv1", 0, 1.0), *LOGIT], (0, 0), {"position": "needs terms of one"}),
        (
            [ResponseTerm("conv1", 0, 1.0)],
            (113, 78),
            {"position.frame": "is 113; the layer has 0 to 112", "position.band": "is 78; the layer has 0 to 77"},
        ),
    ],
    ids=["layer", "channel", "a long name", "a place without maps", "a place of two layers", "outside the map"],
)
async def test_what_the_detector_does_not_have_is_refused_by_field(counted, terms, position, violations):
    with pytest.raises(InvalidRequest) as caught:
        await answered(counted, question(terms, position))
    assert [violation.field for violation in caught.value.violations] == list(violations)
    for violation in caught.value.violations:
        assert violation.description.startswith(violations[violation.field])


async def test_a_row_begins_in_the_state_that_the_bundle_names(counted, monkeypatch):
    """Best of all is said to be a place of ones, with an objective that nothing exceeds: so it is what is found."""
    ones = np.ones((1, 128), np.float32)
    best = {"best_z": ones, "best_objective": np.full((1, 1), np.inf, np.float32)}
    known = dataclasses.replace(counted.known, initial_state={**counted.known.initial_state, **best})
    monkeypatch.setattr(counted, "known", known)
    progress, (example,) = await answered(counted, question(steps=2 * STEPS_PER_CALL))
    assert progress[-1].step == (2 * STEPS_PER_CALL,)  # it went on
    there = await counted.engine.infer("generated", {"z": ones})
    np.testing.assert_allclose(example.found.log_mel, there["log_mel"][0], atol=1e-4)


def test_a_bundle_whose_settings_are_missing_is_refused(own_root):
    edit_manifest(own_root, maximisation={"maximise": {"steps": 10, "learning_rate": 0.1}, "minimise": {}})
    with pytest.raises(BundleError, match="prior_weight is missing"):
        maximiser(load_bundle(own_root))
    replace(own_root, "maximise/config.pbtxt", "conv1:64", "conv1:many")
    with pytest.raises(BundleError, match="channels must be LAYER:NUMBER"):
        maximiser(load_bundle(own_root))
    replace(own_root, "maximise/config.pbtxt", '"initial_state"', '"final_state"')
    replace(own_root, "maximise/config.pbtxt", "conv1:many", "conv1:64")
    with pytest.raises(BundleError, match=r"maximise/config\.pbtxt: parameter initial_state is missing"):
        maximiser(load_bundle(own_root))


def test_settings_are_those_that_were_verified_though_the_manifest_is_altered_later(own_root):
    bundle = load_bundle(own_root)
    put(own_root, "MANIFEST.json", "{}")
    assert maximiser(bundle).defaults["maximise"].steps == SETTINGS["maximise"]["steps"]


def test_a_bundle_without_a_generator_has_no_ascents(tmp_path):
    assert maximiser(load_bundle(without_generator(tmp_path))) is None


async def test_attack_who_leaves_while_waiting_for_progress_leaves_no_task_behind(counted):
    await answered(counted, question())
    before = asyncio.all_tasks()
    for _ in range(3):
        events = counted.maximise(question(examples=2, steps=ENDLESS))
        await anext(events)
        asking = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        await left(asking)
        await events.aclose()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before

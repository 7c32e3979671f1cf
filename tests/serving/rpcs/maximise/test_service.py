"""`Maximise` as a client meets it: a real server, a real channel, a bundle that can."""

import grpc
import numpy as np
import pytest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.maximisation_pb2 import DIRECTION_MINIMISE, MaximiseRequest, ResponseTerm
from phonoscope_serving.bundle.bundle import load_bundle
from support.bundles.miniature_ascent import SETTINGS, bundle_that_can_maximise
from support.bundles.repository import without_generator
from support.ids import brief
from support.services.running import array, refusal, running, violated, wait_until

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    bundle = load_bundle(bundle_that_can_maximise(tmp_path_factory.mktemp("climbing")))
    with running(bundle, device="cpu", threads=1) as service:
        yield service


def events(service, **fields):
    found = {"settings": [], "progress": [], "example": []}
    order = []
    for response in service.stub.Maximise(MaximiseRequest(**fields)):
        kind = response.WhichOneof("event")
        order.append(kind)
        found[kind].append(getattr(response, kind))
    assert order == sorted(order, key=["settings", "progress", "example"].index)
    return found


def test_settings_progress_and_examples_come_in_this_order(service):
    found = events(service, listen=True)
    (settings,) = found["settings"]
    assert (settings.bundle.name, settings.examples) != ("", 0)
    assert (settings.examples, settings.steps) == (4, SETTINGS["maximise"]["steps"])
    assert settings.learning_rate == pytest.approx(SETTINGS["maximise"]["learning_rate"])
    last = found["progress"][-1]
    assert list(last.step) == [settings.steps] * 4
    assert len(last.response) == len(last.prior) == 4
    assert [example.index for example in found["example"]] == [0, 1, 2, 3]
    for example in found["example"]:
        assert example.response > example.initial_response
        assert array(example.log_mel).shape == array(example.initial_log_mel).shape == (115, 80)
        assert len(example.audio.samples) == len(example.initial_audio.samples) == 4 * 36934


def test_what_the_request_chooses_counts_and_the_rest_is_the_bundles(service):
    found = events(service, direction=DIRECTION_MINIMISE, examples=2, steps=3, prior_weight=0.0)
    (settings,) = found["settings"]
    assert (settings.steps, settings.prior_weight, settings.examples) == (3, 0, 2)
    assert settings.learning_rate == pytest.approx(SETTINGS["minimise"]["learning_rate"])
    for example in found["example"]:
        assert example.response < example.initial_response
        assert not example.HasField("audio")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"terms": [ResponseTerm(layer="fc9")]}, "terms[0].layer"),
        ({"terms": [ResponseTerm(layer="fc8", channel=64)]}, "terms[0].channel"),
        ({"terms": [ResponseTerm(layer="fc8", weight=float("nan"))]}, "terms[0].weight"),
        ({"terms": [ResponseTerm(layer="fc8")] * 65}, "terms"),
        ({"position": {"frame": 1, "band": 1}}, "position"),
        ({"direction": 9}, "direction"),
        ({"examples": 17}, "examples"),
        ({"steps": 2001}, "steps"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"prior_weight": -1.0}, "prior_weight"),
        ({"prior_weight": float("nan")}, "prior_weight"),
    ],
    ids=brief,
)
def test_bad_wishes_are_refused_by_field_and_the_service_carries_on(service, fields, field):
    error = refusal(lambda: list(service.stub.Maximise(MaximiseRequest(**fields))))
    assert error.code() is INVALID
    assert list(violated(error)) == [field]
    assert len(events(service, steps=0, examples=1)["example"]) == 1


def test_a_deadline_ends_the_stream(service):
    error = refusal(lambda: list(service.stub.Maximise(MaximiseRequest(steps=2000, examples=16), timeout=0.3)))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_cancelled_call_stops_working_and_is_counted_as_cancelled(service):
    def rows():
        return service.count("phonoscope_batch_rows_sum", model="maximise")

    def of_one_example():
        before = rows()
        events(service, examples=1, steps=8)
        return rows() - before

    def ended(code):
        labels = {"grpc_type": "server_stream", "grpc_service": "phonoscope.v1.ExplainerService"}
        return service.count("grpc_server_handled_total", **labels, grpc_method="Maximise", grpc_code=code)

    before, alone = ended("CANCELLED"), of_one_example()
    call = service.stub.Maximise(MaximiseRequest(steps=2000, examples=16))
    next(call)
    next(call)
    call.cancel()
    wait_until(lambda: ended("CANCELLED") > before)
    assert ended("CANCELLED") == before + 1
    of_one_example()  # what was still running then has ended
    assert of_one_example() == alone  # nobody else's rows are run


def test_examples_and_their_steps_are_counted(service):
    name = service.stub.DescribeBundle(DescribeBundleRequest()).bundle.name

    def counted():
        labels = {"bundle": name, "direction": "minimise"}
        return [service.count(f"phonoscope_{what}_total", **labels) for what in ("maximised_examples", "ascent_steps")]

    before = counted()
    events(service, direction=DIRECTION_MINIMISE, examples=3, steps=5)
    assert np.subtract(counted(), before).tolist() == [3, 15]


def test_a_bundle_without_a_generator_explains_but_does_not_maximise(tmp_path):
    bundle = load_bundle(without_generator(tmp_path))
    with running(bundle, device="cpu", threads=1) as service:
        error = refusal(lambda: list(service.stub.Maximise(MaximiseRequest())))
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert f"the bundle {bundle.name} has no generator to maximise with" in error.details()
        assert service.stub.DescribeBundle(DescribeBundleRequest()).bundle.name == bundle.name

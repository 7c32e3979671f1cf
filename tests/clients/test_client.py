"""The client against a real gRPC server that answers as each test says: what the real service cannot be made to do."""

import threading
import time

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from phonoscope.v1 import bundle_pb2, bundle_reference_pb2, explanation_pb2, prediction_pb2, time_frequency_pb2
from phonoscope_client import (
    BusyError,
    Client,
    DeadlineExceededError,
    InvalidInputError,
    NotInBundleError,
    OutOfRangeError,
    PhonoscopeError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
)
from support.services.written_answers import abort, serving

TONE = (np.sin(np.arange(8000, dtype=np.float32) / 9), 8000)


def raised_for(code, *details, message="as the test says"):
    """What the client raises when a server ends the call so."""
    with serving(lambda request, context: abort(context, code, message, *details)) as address:
        with Client(address, timeout_s=1, patience_s=0) as client, pytest.raises(PhonoscopeError) as caught:
            client.predict(TONE)
        return caught.value


def bad_request(*violations):
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
            for field, description in violations
        ]
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidInputError),
        (grpc.StatusCode.OUT_OF_RANGE, OutOfRangeError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceededError),
        (grpc.StatusCode.FAILED_PRECONDITION, NotInBundleError),
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.UNAUTHENTICATED, UnauthenticatedError),
        (grpc.StatusCode.INTERNAL, ServiceError),
        (grpc.StatusCode.CANCELLED, UnavailableError),
        (grpc.StatusCode.UNIMPLEMENTED, ServiceError),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_each_status_has_its_exception(code, kind):
    error = raised_for(code)
    assert type(error) is kind
    assert "as the test says" in str(error)
    assert isinstance(error.__cause__, grpc.RpcError)


def test_every_field_violation_arrives():
    error = raised_for(
        grpc.StatusCode.INVALID_ARGUMENT,
        bad_request(("region.alpha", "1.5; at most 1"), ("audio", "missing")),
    )
    assert [(each.field, each.description) for each in error.violations] == [
        ("region.alpha", "1.5; at most 1"),
        ("audio", "missing"),
    ]


def test_a_moment_outside_the_recording_is_invalid_input_too():
    error = raised_for(grpc.StatusCode.OUT_OF_RANGE, bad_request(("at_s", "99; at most 12")))
    assert isinstance(error, InvalidInputError)
    assert error.violations[0].field == "at_s"


def test_a_full_queue_says_when_to_try_again():
    hint = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))
    error = raised_for(grpc.StatusCode.RESOURCE_EXHAUSTED, hint)
    assert type(error) is BusyError
    assert error.retry_after_s == 1.5


def test_exhaustion_without_a_retry_hint_means_that_less_must_be_sent():
    error = raised_for(grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert type(error) is InvalidInputError
    assert error.violations[0].field == "audio"


def test_an_error_shows_the_id_under_which_the_service_logged_the_request():
    logged = error_details_pb2.RequestInfo(request_id="logged-as-this")
    error = raised_for(grpc.StatusCode.INTERNAL, logged)
    assert error.request_id == "logged-as-this"
    assert str(error).endswith("(request logged-as-this)")


def test_without_one_an_error_shows_the_id_that_was_sent():
    sent = []

    def answer(request, context):
        sent.append(dict(context.invocation_metadata())["x-request-id"])
        context.abort(grpc.StatusCode.INTERNAL, "no details at all")

    with serving(answer) as address, Client(address) as client, pytest.raises(ServiceError) as caught:
        client.describe()
    assert [caught.value.request_id] == sent


def test_unavailable_is_tried_again_even_with_a_large_recording():
    attempts = []

    def answer(request, context):
        attempts.append(request.ByteSize())
        if len(attempts) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        return prediction_pb2.PredictResponse(probability=[0.5], frames_per_second=70)

    recording = (np.zeros(2**20, np.float32), 44100)  # 4 MiB, far above what gRPC keeps for retries by default
    with serving(answer) as address, Client(address) as client:
        assert len(client.predict(recording).probability) == 1
    assert len(attempts) == 3


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_nothing_but_unavailable_is_tried_again(code):
    attempts = []

    def answer(request, context):
        attempts.append(request)
        context.abort(code, "once is enough")

    with serving(answer) as address, Client(address) as client, pytest.raises(PhonoscopeError):
        client.describe()
    assert len(attempts) == 1


def test_an_answer_that_does_not_come_in_time_is_given_up():
    hold = threading.Event()

    def answer(request, context):
        hold.wait(60)
        return bundle_pb2.DescribeBundleResponse()

    with serving(answer) as address, Client(address, timeout_s=0.2) as client:
        with pytest.raises(DeadlineExceededError):
            client.describe()
        hold.set()


def test_the_service_is_told_the_deadline():
    remaining_s = []

    def answer(request, context):
        remaining_s.append(context.time_remaining())
        return bundle_pb2.DescribeBundleResponse()

    with serving(answer) as address, Client(address, timeout_s=3600) as client:
        client.describe()
    assert remaining_s[0] == pytest.approx(3600, abs=600)


def test_nobody_listening_is_unavailable():
    with serving(lambda request, context: bundle_pb2.DescribeBundleResponse()) as address:
        pass
    with Client(address, patience_s=0.5) as client, pytest.raises(UnavailableError):
        client.describe()


def test_the_token_is_sent_as_a_bearer_token():
    seen = []

    def answer(request, context):
        seen.append(dict(context.invocation_metadata()).get("authorization"))
        return bundle_pb2.DescribeBundleResponse()

    with serving(answer) as address:
        with Client(address, token="secret") as client:
            client.describe()
        with Client(address) as client:
            client.describe()
    assert seen == ["Bearer secret", None]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"alpha": 0.25}, ("alpha", 0.25)),
        ({"alpha": 0.0}, ("alpha", 0.0)),
        ({"alpha": "keep-label"}, ("largest_alpha_that_keeps_label", True)),
        ({"maximum_area": 0.5}, ("maximum_area", 0.5)),
    ],
)
def test_the_region_is_sent_as_asked(options, expected):
    asked = []

    def answer(request, context):
        asked.append(request)
        return _response(request)

    with serving(answer) as address, Client(address) as client:
        client.explain(TONE, 0.5, masking="m1", listen=False, **options)
    choice = asked[0].region.WhichOneof("choice")
    assert (choice and (choice, getattr(asked[0].region, choice))) == expected
    assert asked[0].masking == explanation_pb2.MASKING_M1
    assert not asked[0].listen


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"alpha": 0.5, "maximum_area": 0.5}, "maximum_area"),
        ({"alpha": "largest"}, "alpha"),
        ({"masking": "m3"}, "masking"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_before_anything_is_sent(options, field):
    with Client("127.0.0.1:1") as client, pytest.raises(InvalidInputError) as caught:
        client.explain(TONE, 0.5, **options)
    assert caught.value.violations[0].field == field


def test_a_timeout_must_be_positive():
    with pytest.raises(InvalidInputError, match="timeout_s: 0; give a positive number"):
        Client("127.0.0.1:1", timeout_s=0)


def test_times_of_a_recording_that_was_cut_are_those_of_the_whole_recording():
    asked = []

    def answer(request, context):
        asked.append(request.at_s)
        return _response(request)

    samples = np.zeros(1201 * 4000, np.float32)
    with serving(answer) as address, Client(address) as client:
        explained = client.explain((samples, 4000), 1000.25)
    assert asked == [10.25]
    assert explained.at_s == 1000.25
    assert explained.axes.start_s == 999.25


def test_numbers_arrive_as_the_decimals_they_were_written_as():
    with serving(lambda request, context: _response(request)) as address, Client(address) as client:
        explained = client.explain(TONE, 0.5)
    assert (explained.alpha, explained.threshold, explained.trust.relative_area) == (0.6, 0.47, 0.1)


def test_a_map_of_the_wrong_size_is_a_defect_of_the_service():
    def answer(request, context):
        response = _response(request)
        response.log_mel.frames = 4
        return response

    refused = pytest.raises(ServiceError, match="6 values for 4 frames of 2 bands")
    with serving(answer) as address, Client(address) as client, refused:
        client.explain(TONE, 0.5)


def test_a_region_of_the_wrong_size_is_a_defect_of_the_service():
    def answer(request, context):
        response = _response(request)
        response.region.bands = 3
        return response

    refused = pytest.raises(ServiceError, match="region of 6 bins for 3 frames of 3 bands")
    with serving(answer) as address, Client(address) as client, refused:
        client.explain(TONE, 0.5)


def test_a_rule_and_what_is_heard_are_sent_as_asked():
    asked = []

    def answer(request, context):
        asked.append(request)
        return _response(request)

    with serving(answer) as address, Client(address) as client:
        explained = client.explain(TONE, 0.5, rule="gradient", outside_db=40, detailed=True)
        client.explain(TONE, 0.5)
    assert (explained.rule, asked[0].outside_db, asked[0].detailed) == ("gradient", 40, True)
    assert (asked[1].rule, asked[1].HasField("outside_db"), asked[1].detailed) == ("", False, False)
    assert explained.mask.tolist() == [[False, True], [False, False], [True, False]]
    assert explained.inverted is explained.explanation is None


def test_one_client_serves_many_threads():
    def answer(request, context):
        time.sleep(0.01)
        return _response(request)

    moments = [0.25 * number for number in range(8)]
    answers = {}
    with serving(answer) as address, Client(address) as client:
        threads = [
            threading.Thread(target=lambda at_s=at_s: answers.update({at_s: client.explain(TONE, at_s)}))
            for at_s in moments
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {at_s: each.at_s for at_s, each in answers.items()} == {at_s: at_s for at_s in moments}


@pytest.mark.parametrize(("asked", "written"), [("float32", "<f4"), ("float16", "<f2"), ("float16", "<f4")])
def test_maps_are_float32_however_they_travel_and_a_service_of_before_writes_float32(asked, written):
    requests = []

    def answer(request, _):
        requests.append(request)
        response = _response(request)
        if written == "<f2":
            response.log_mel.values = np.arange(6, dtype=written).tobytes()
            response.log_mel.precision = time_frequency_pb2.MAP_PRECISION_FLOAT16
        return response

    with serving(answer) as address, Client(address) as client:
        explanation = client.explain(b"RIFF", 1.0, map_precision=asked)
    assert requests[0].map_precision == {"float32": 0, "float16": 2}[asked]
    assert explanation.log_mel.dtype == np.float32
    np.testing.assert_array_equal(explanation.log_mel, np.arange(6).reshape(3, 2))


def test_a_map_in_a_precision_of_later_and_a_precision_that_there_is_not_are_errors():
    def answer(request, _):
        response = _response(request)
        response.log_mel.precision = 7
        return response

    with serving(answer) as address, Client(address) as client:
        with pytest.raises(ServiceError, match="precision this client does not know"):
            client.explain(b"RIFF", 1.0)
        with pytest.raises(InvalidInputError, match="map_precision: 'half'; give float32 or float16"):
            client.explain(b"RIFF", 1.0, map_precision="half")


def _response(request):
    """An answer of three frames and two bands, for the moment asked about."""
    values = np.arange(6, dtype="<f4").tobytes()
    grid = time_frequency_pb2.TimeFrequencyMap(frames=3, bands=2, values=values)
    return explanation_pb2.ExplainResponse(
        bundle=bundle_reference_pb2.BundleReference(name="three-by-two", digest="00"),
        at_s=request.at_s,
        axes=time_frequency_pb2.TimeFrequencyAxes(
            start_s=request.at_s - 1, frames_per_second=70, band_centre_hz=[100, 200]
        ),
        log_mel=grid,
        rule=request.rule,
        relevance=grid,
        region=explanation_pb2.Region(frames=3, bands=2, inside=bytes([0, 1, 0, 0, 1, 0])),
        alpha=0.6,
        masking=request.masking,
        threshold=0.47,
        trust=explanation_pb2.Trust(predicted_label=explanation_pb2.LABEL_VOCAL, relative_area=0.1),
    )

"""The service as a client meets it: a real server, a real channel, the real bundle."""

import re
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from phonoscope.v1 import audio_pb2, explanation_pb2
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from support.corpora.sound import encoded, file, music, pcm
from support.same_numbers import RELEVANCE_ATOL
from support.services.running import array, details, refusal, running, violated, wait_until

NAME = "phonoscope.v1.ExplainerService"
SONG = music(4)
GOOD = ExplainRequest(audio=pcm(SONG), at_s=2.0)
INVALID, OUT_OF_RANGE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE
MASK_SHAPE = (115, 80)
ROUNDS = 100  # whether callers meet is the machine's affair: they come together again until they have


def together(callers, number, call, request):
    """How as many calls ended that were made at the same moment: answers, and errors."""
    moment = threading.Barrier(number)

    def ask():
        moment.wait()
        return call(request)

    calls = [callers.submit(ask) for _ in range(number)]
    return [call.exception() or call.result() for call in calls]


def test_an_explanation_is_complete_and_consistent(service, bundle):
    response = service.stub.Explain(GOOD)
    assert (response.bundle.name, response.bundle.digest) == (bundle.name, bundle.digest)
    assert response.at_s == 2.0
    assert response.axes.frames_per_second == 70
    assert response.axes.start_s == pytest.approx(2.0 - 57 / 70)
    assert list(response.axes.band_centre_hz) == pytest.approx(bundle.default.front_end.band_centre_hz)
    mask = np.frombuffer(response.region.inside, np.uint8).reshape(response.region.frames, response.region.bands)
    assert mask.shape == array(response.log_mel).shape == array(response.relevance).shape == MASK_SHAPE
    np.testing.assert_array_equal(mask, array(response.relevance) >= response.alpha)
    assert response.trust.relative_area == pytest.approx(mask.mean(), abs=1e-6)
    assert response.rule == bundle.default.rules[0].name
    assert response.alpha == pytest.approx(bundle.default.rules[0].default_alpha)
    assert response.masking == explanation_pb2.MASKING_M1
    assert response.threshold == pytest.approx(bundle.default.decision.thresholds[0])
    vocal = response.trust.predicted_label == explanation_pb2.LABEL_VOCAL
    assert vocal == (response.trust.probability >= response.threshold)
    for asked_for in ("original_audio", "explanation_audio", "outside_db", "inverted", "explanation"):
        assert not response.HasField(asked_for)


@pytest.mark.parametrize("rule", ["masker", "gradient", "inversion"])
def test_every_rule_explains_the_same_excerpt_in_its_own_way(service, rule):
    response = service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=2.0, rule=rule, detailed=True))
    assert response.rule == rule
    usual = service.stub.Explain(GOOD)
    assert response.trust.probability == pytest.approx(usual.trust.probability, abs=1e-5)
    alike = np.allclose(array(response.relevance), array(usual.relevance), atol=RELEVANCE_ATOL)
    assert alike == (rule == usual.rule)
    inside = np.frombuffer(response.region.inside, np.uint8).reshape(MASK_SHAPE)
    assert not array(response.explanation)[inside == 0].any()
    inverted = array(response.inverted)
    if rule == "inversion":
        scaled = (inverted - inverted.min()) / np.ptp(inverted)
        np.testing.assert_allclose(array(response.relevance), scaled, atol=RELEVANCE_ATOL)


def test_an_explanation_can_be_listened_to(service):
    response = service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=2.0, listen=True))
    for waveform in (response.original_audio, response.explanation_audio):
        assert waveform.sample_rate_hz == 22050
        assert len(waveform.samples) == 4 * 36934
    assert response.outside_db == 25
    vocal = response.trust.heard_probability >= response.threshold
    predicted = response.trust.predicted_label == explanation_pb2.LABEL_VOCAL
    assert response.trust.heard_label_kept == (vocal == predicted)


def test_how_far_the_rest_is_attenuated_is_chosen(service):
    def heard(outside_db):
        request = ExplainRequest(audio=pcm(SONG), at_s=2.0, listen=True, outside_db=outside_db)
        return np.frombuffer(service.stub.Explain(request).explanation_audio.samples, "<f4")

    untouched, softer, softest = (np.sum(heard(outside_db) ** 2) for outside_db in (0, 25, 120))
    assert untouched > softer > softest


@pytest.mark.parametrize("masking", ["MASKING_M1", "MASKING_M2"])
def test_the_masking_asked_for_is_the_one_used(service, masking):
    request = ExplainRequest(audio=pcm(SONG), at_s=2.0, masking=masking)
    assert service.stub.Explain(request).masking == explanation_pb2.Masking.Value(masking)


@pytest.mark.parametrize(
    ("container", "subtype", "rate_hz", "channels"),
    [
        ("WAV", "PCM_16", 22050, 1),
        ("WAV", "FLOAT", 192000, 2),
        ("WAV", "PCM_16", 8000, 8),
        ("FLAC", "PCM_24", 96000, 6),
        ("OGG", "VORBIS", 44100, 2),
        ("OGG", "OPUS", 48000, 2),
        ("MP3", "MPEG_LAYER_III", 44100, 2),
    ],
)
def test_files_of_every_kind_are_explained_and_predicted(service, container, subtype, rate_hz, channels):
    sound = np.repeat(music(3, rate_hz)[:, None], channels, axis=1)
    audio = file(encoded(sound, rate_hz, container, subtype))
    assert service.stub.Explain(ExplainRequest(audio=audio, at_s=1.5)).at_s == 1.5
    prediction = service.stub.Predict(PredictRequest(audio=audio))
    assert len(prediction.probability) == pytest.approx(207, abs=1)  # MP3 may add a frame of its own
    assert prediction.frames_per_second == 70


def test_the_bundle_describes_itself(service, bundle):
    response = service.stub.DescribeBundle(DescribeBundleRequest())
    assert [(layer.name, tuple(layer.shape), layer.invertible) for layer in response.layers] == [
        (layer.name, layer.shape, True) for layer in bundle.default.layers
    ]
    assert (response.sample_rate_hz, response.hop_samples, response.frame_samples) == (22050, 315, 1024)
    assert response.excerpt_frames == 115
    assert dict(response.metrics) == dict(bundle.metrics)
    assert [data.licence for data in response.training_data] == [data.licence for data in bundle.training_data]


def wrong(sound, at_s=0.5):
    return ExplainRequest(audio=sound, at_s=at_s)


def with_nan():
    samples = music(1)
    samples[5] = np.nan
    return samples


WAV = encoded(music(2), 22050, "WAV", "PCM_16")
BAD = {
    "no audio": (ExplainRequest(), INVALID, "audio"),
    "empty file": (wrong(file(b"")), INVALID, "audio.encoded"),
    "not audio": (wrong(file(b"<html>" * 50)), INVALID, "audio.encoded"),
    "cut in its header": (wrong(file(WAV[:40])), INVALID, "audio.encoded"),
    "33 channels": (wrong(file(encoded(np.zeros((9000, 33)), 22050))), INVALID, "audio.encoded"),
    "rate too low": (wrong(file(encoded(music(1), 2000))), INVALID, "audio.encoded"),
    "hour-long": (wrong(file(encoded(np.zeros(3600 * 4000, "i2"), 4000, "FLAC"))), INVALID, "audio.encoded"),
    "NaN in a file": (wrong(file(encoded(with_nan(), 22050, "WAV", "FLOAT"))), INVALID, "audio.encoded"),
    "NaN in samples": (wrong(pcm(with_nan())), INVALID, "audio.pcm.samples"),
    "one sample": (wrong(pcm([0.1]), 0.0), INVALID, "audio.pcm.samples"),
    "one sample in a file": (wrong(file(encoded(np.array([0.1]), 22050)), 0.0), INVALID, "audio.encoded"),
    "half a sample": (
        wrong(audio_pb2.Audio(pcm=audio_pb2.PcmAudio(samples=b"ab", sample_rate_hz=22050))),
        INVALID,
        "audio.pcm.samples",
    ),
    "silent": (wrong(pcm(np.zeros(44100))), INVALID, "audio"),
    "nearly silent": (wrong(pcm(np.full(44100, 9e-6))), INVALID, "audio"),
    "beyond the end": (ExplainRequest(audio=pcm(SONG), at_s=4.1), OUT_OF_RANGE, "at_s"),
    "before the beginning": (ExplainRequest(audio=pcm(SONG), at_s=-1), INVALID, "at_s"),
    "no moment": (ExplainRequest(audio=pcm(SONG), at_s=float("nan")), INVALID, "at_s"),
    "alpha": (
        ExplainRequest(audio=pcm(SONG), region=explanation_pb2.RegionChoice(alpha=1.5)),
        INVALID,
        "region.alpha",
    ),
    "area": (
        ExplainRequest(audio=pcm(SONG), region=explanation_pb2.RegionChoice(maximum_area=-1)),
        INVALID,
        "region.maximum_area",
    ),
    "masking": (ExplainRequest(audio=pcm(SONG), masking=5), INVALID, "masking"),
    "rule": (ExplainRequest(audio=pcm(SONG), rule="guess"), INVALID, "rule"),
    "attenuation": (ExplainRequest(audio=pcm(SONG), outside_db=-3), INVALID, "outside_db"),
}


@pytest.mark.parametrize(("request_", "code", "field"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_by_field_and_the_service_carries_on(service, request_, code, field):
    error = refusal(service.stub.Explain, request_)
    assert error.code() is code
    assert list(violated(error)) == [field]
    assert violated(error)[field] in error.details()
    assert service.stub.Explain(GOOD).trust.probability > 0


def test_predictions_of_bad_input_are_refused_alike(service):
    error = refusal(service.stub.Predict, PredictRequest(audio=file(b"nonsense")))
    assert (error.code(), list(violated(error))) == (INVALID, ["audio.encoded"])
    assert list(violated(refusal(service.stub.Predict, PredictRequest()))) == ["audio"]


def test_a_message_larger_than_the_limit_is_refused_without_a_retry_hint(service):
    error = refusal(service.stub.Explain, ExplainRequest(audio=file(bytes(66 << 20))))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(error, "RetryInfo") is None
    assert service.stub.Explain(GOOD).at_s == 2.0


def test_audio_just_over_its_limit_is_refused_by_field(service):
    error = refusal(service.stub.Explain, ExplainRequest(audio=file(bytes((64 << 20) + 1))))
    assert "67108865 bytes; at most 67108864" in violated(error)["audio.encoded"]


def test_bytes_that_are_no_message_do_not_stop_the_service(service):
    call = service.channel.unary_unary(f"/{NAME}/Explain")
    error = refusal(call, b"\xff" * 50)
    assert (error.code(), list(violated(error))) == (INVALID, ["request"])
    assert service.stub.Explain(GOOD).at_s == 2.0


def test_an_unknown_method_is_unimplemented(service):
    call = service.channel.unary_unary(f"/{NAME}/Compose")
    assert refusal(call, b"").code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_callers_request_id_comes_back(service):
    _, call = service.stub.Explain.with_call(GOOD, metadata=[("x-request-id", "abc-123")])
    assert ("x-request-id", "abc-123") in call.trailing_metadata()
    error = refusal(service.stub.Explain, ExplainRequest(), metadata=[("x-request-id", "abc-124")])
    assert ("x-request-id", "abc-124") in error.trailing_metadata()
    assert details(error, "RequestInfo").request_id == "abc-124"


@pytest.mark.parametrize("given", [None, "has blanks in it", "x" * 200])
def test_a_request_id_is_made_where_none_is_given_or_it_is_unfit_for_a_log(service, given):
    metadata = [("x-request-id", given)] if given else []
    _, call = service.stub.DescribeBundle.with_call(DescribeBundleRequest(), metadata=metadata)
    assert re.fullmatch("[0-9a-f]{32}", dict(call.trailing_metadata())["x-request-id"])


def test_too_little_time_is_refused_before_any_work(service):
    service.stub.Explain(GOOD)
    began = service.count("phonoscope_batch_rows_count", model="explain_masker")
    assert refusal(service.stub.Explain, GOOD, timeout=0.002).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    service.stub.DescribeBundle(DescribeBundleRequest())
    assert service.count("phonoscope_batch_rows_count", model="explain_masker") == began


def test_a_caller_who_leaves_is_counted_as_such(service):
    method = {"grpc_type": "unary", "grpc_service": NAME, "grpc_method": "Predict"}

    def started():
        return service.count("grpc_server_started_total", **method)

    def cancelled():
        return service.count("grpc_server_handled_total", **method, grpc_code="CANCELLED")

    were_started, were_cancelled = started(), cancelled()
    future = service.stub.Predict.future(PredictRequest(audio=pcm(music(300))))
    wait_until(lambda: started() > were_started)
    future.cancel()
    wait_until(lambda: cancelled() > were_cancelled)
    assert service.stub.Explain(GOOD).at_s == 2.0


def test_health_is_known_of_the_service_and_the_whole(service):
    health = health_pb2_grpc.HealthStub(service.channel)
    for name in ("", NAME):
        answer = health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    unknown = refusal(health.Check, health_pb2.HealthCheckRequest(service="nobody"))
    assert unknown.code() is grpc.StatusCode.NOT_FOUND


def test_health_can_be_watched(service):
    watch = health_pb2_grpc.HealthStub(service.channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_the_contract_can_be_read_from_the_service(service):
    reflection = reflection_pb2_grpc.ServerReflectionStub(service.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = reflection.ServerReflectionInfo(iter([request]))
    assert {NAME, "grpc.health.v1.Health"} <= {s.name for s in answer.list_services_response.service}


def test_what_is_served_can_be_scraped(service, bundle):
    service.stub.Explain(GOOD)
    refusal(service.stub.Explain, ExplainRequest())

    def shown(line):
        with urllib.request.urlopen(f"http://{service.server.metrics_address}/metrics") as page:
            return line in page.read().decode()

    wait_until(lambda: shown('grpc_code="INVALID_ARGUMENT"'))  # a refusal is counted a little after it is sent
    for line in (
        f'grpc_server_handled_total{{grpc_code="OK",grpc_method="Explain",grpc_service="{NAME}",grpc_type="unary"}}',
        f'grpc_server_started_total{{grpc_method="Explain",grpc_service="{NAME}",grpc_type="unary"}}',
        'grpc_code="INVALID_ARGUMENT"',
        "grpc_server_handling_seconds_bucket",
        'phonoscope_batch_rows_bucket{le="1.0",model="explain_masker"}',
        'phonoscope_queue_rows{model="explain_masker"} 0.0',
        'phonoscope_engine_seconds_count{model="explain_masker"}',
        f'phonoscope_bundle_info{{digest="{bundle.digest}",name="{bundle.name}"}} 1.0',
        'phonoscope_relative_area_bucket{bundle="',
        "phonoscope_reconstruction_error_bucket",
        "phonoscope_removal_flips_total",
        'phonoscope_sound_warnings_total{kind="truncated"}',
    ):
        assert shown(line), line


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ({"alpha": 0.4}, "alpha"),
        ({"maximum_area": 0.2}, "maximum_area"),
        ({"largest_alpha_that_keeps_label": True}, "keep_label"),
    ],
)
def test_the_quality_of_what_is_served_is_counted(service, bundle, region, name):
    labels = {"bundle": bundle.name, "listener": "detector", "rule": bundle.default.rules[0].name}

    def area():
        return service.count("phonoscope_relative_area_sum", **labels)

    before = area()
    heard = service.count("phonoscope_heard_explanations_total", **labels, label_kept="true")
    choice = explanation_pb2.RegionChoice(**region)
    trust = service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=2, region=choice, listen=True)).trust
    assert area() - before == pytest.approx(trust.relative_area, abs=1e-5)
    label = "vocal" if trust.predicted_label == explanation_pb2.LABEL_VOCAL else "instrumental"
    assert service.count("phonoscope_reconstruction_error_count", **labels) >= 1
    after = service.count("phonoscope_heard_explanations_total", **labels, label_kept="true")
    assert after - heard == trust.heard_label_kept
    labels |= {"region": name, "masking": "m1", "label": label, "label_kept": str(trust.label_kept).lower()}
    assert service.count("phonoscope_explanations_total", **labels) >= 1


def test_a_full_queue_answers_with_a_retry_hint_and_then_recovers(bundle):
    with (
        running(bundle, device="cpu", threads=1, batch_rows=1, queue_rows=2) as service,
        ThreadPoolExecutor(16) as callers,
    ):
        for _ in range(ROUNDS):
            outcomes = together(callers, 16, service.stub.Explain, GOOD)
            if errors := [outcome for outcome in outcomes if isinstance(outcome, grpc.RpcError)]:
                break
        assert 0 < len(errors) < 16
        for error in errors:
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "rows wait for explain_masker; at most 2 may" in error.details()
            assert details(error, "RetryInfo").retry_delay.ToMilliseconds() > 0
        assert service.stub.Explain(GOOD).at_s == 2.0


def test_more_bytes_than_may_be_held_at_once_are_refused_with_a_retry_hint(bundle):
    song = PredictRequest(audio=pcm(music(20)))
    with (
        running(bundle, device="cpu", threads=1, server_options={"max_held_bytes": 2_000_000}) as service,
        ThreadPoolExecutor(4) as callers,
    ):
        for _ in range(ROUNDS):
            outcomes = together(callers, 4, service.stub.Predict, song)
            if errors := [outcome for outcome in outcomes if isinstance(outcome, grpc.RpcError)]:
                break
        assert 0 < len(errors) < 4
        assert {error.code() for error in errors} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert details(errors[0], "RetryInfo").retry_delay.seconds == 1
        assert service.stub.Predict(song).frames_per_second == 70


def test_callers_who_come_together_are_run_together(bundle):
    with running(bundle, device="cpu", threads=1, batch_rows=8) as service, ThreadPoolExecutor(16) as callers:
        for rounds in range(1, ROUNDS + 1):
            answers = together(callers, 16, service.stub.Explain, GOOD)
            probabilities = [answer.trust.probability for answer in answers]
            assert probabilities == pytest.approx(probabilities[:1] * 16, rel=0, abs=1e-5)
            assert service.count("phonoscope_batch_rows_sum", model="explain_masker") == 16 * rounds
            batches = service.count("phonoscope_batch_rows_count", model="explain_masker")
            if batches < 16 * rounds:
                break
        assert batches < 16 * rounds

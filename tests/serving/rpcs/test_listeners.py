"""A bundle of two listeners, asked by name."""

import threading

import grpc
import numpy as np
import pytest
from phonoscope.v1 import bundle_pb2, track_pb2
from phonoscope.v1.auralisation_pb2 import NETWORK_DETECTOR, AuraliseRequest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.decision_pb2 import Decision
from phonoscope.v1.explanation_pb2 import EVIDENCE_FULL, LABEL_UNSPECIFIED, ExplainRequest, RegionChoice
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope.v1.maximisation_pb2 import MaximiseRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope.v1.track_pb2 import TrackMoments
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from support.corpora.music import melody
from support.corpora.sound import pcm
from support.services.running import array, refusal, running, violated, wait_until

SONG = melody(7)
AUDIO = pcm(SONG)
LABELS = ["ballad", "dance", "hiphop"]
FULL = {"carried": 3, "silhouette": 3, "removed": 2, "random": 1, "shifted": 1, "other": 1}


@pytest.fixture(scope="module")
def tagging(tagging_root):
    return load_bundle(tagging_root)


@pytest.fixture(scope="module")
def service(tagging):
    with running(tagging, device="cpu", threads=1) as service:
        yield service


@pytest.fixture(scope="module")
def engine(tagging):
    engine = OnnxEngine(tagging, OnnxOptions(device="cpu", threads=1), Metrics())
    engine.load()
    return engine


def explain(service, **options):
    asked = {"audio": AUDIO, "at_s": 3.0, "listener": "tagger", "region": RegionChoice(maximum_area=0.2)} | options
    return service.stub.Explain(ExplainRequest(**asked))


def shares(response):
    return {name: getattr(response.trust.exchange, name) for name in FULL}


def test_the_bundle_says_who_can_be_asked_what(service):
    detector, tagger = service.stub.DescribeBundle(DescribeBundleRequest()).listeners
    assert (detector.name, tagger.name) == ("detector", "tagger")
    assert detector.decision == bundle_pb2.DECISION_RULE_BINARY
    assert tagger.decision == bundle_pb2.DECISION_RULE_MULTI_CLASS
    assert [each.name for each in detector.labels] == ["vocal", "instrumental"]
    assert [each.HasField("threshold") for each in detector.labels] == [True, False]
    assert [each.name for each in tagger.labels] == LABELS
    assert [each.explains_any_label for each in tagger.rules] == [True]
    assert list(tagger.rpcs) == ["Predict", "Explain", "ExplainTrack"]
    assert tagger.sample_rate_hz == 11025
    assert tagger.layers[-1].name == "fc6"


def test_todays_requests_keep_their_meaning(service):
    unnamed = service.stub.Explain(ExplainRequest(audio=AUDIO, at_s=3.0, control_seed=1))
    named = service.stub.Explain(ExplainRequest(audio=AUDIO, at_s=3.0, control_seed=1, listener="detector"))
    assert unnamed.listener == named.listener == "detector"
    assert unnamed.trust.predicted_label != LABEL_UNSPECIFIED
    assert unnamed.label == unnamed.predicted_label == named.label
    assert [each.label for each in unnamed.labels] == ["vocal", "instrumental"]
    assert unnamed.labels[0].probability == unnamed.trust.probability


def test_an_explanation_is_of_the_label_that_is_predicted_where_none_is_named(service):
    response = explain(service)
    assert response.label == response.predicted_label
    assert response.label == max(response.labels, key=lambda each: each.probability).label
    assert response.trust.predicted_label == LABEL_UNSPECIFIED
    assert sum(each.probability for each in response.labels) == pytest.approx(1, abs=1e-5)
    assert array(response.log_mel).shape == (173, 257)
    assert response.threshold == 0


@pytest.mark.parametrize("label", LABELS)
def test_trust_is_about_the_label_that_is_named(service, label):
    response = explain(service, label=label)
    said = {each.label: each.probability for each in response.labels}
    assert response.label == label
    assert response.trust.probability == pytest.approx(said[label])
    assert response.trust.evidence == EVIDENCE_FULL
    assert {name: share.n for name, share in shares(response).items()} == FULL
    for share in shares(response).values():
        assert share.kept == sum(share.keeps)
        assert all(0 <= each <= 1 for each in share.probabilities)


def test_the_relevance_of_one_label_is_not_that_of_another(service):
    maps = {label: array(explain(service, label=label).relevance) for label in LABELS}
    assert all(np.abs(maps["ballad"] - maps[other]).max() > 0.05 for other in LABELS[1:])


def test_a_contrast_turns_round_with_its_label(service):
    one = explain(service, label="ballad", contrast="dance", control_seed=3)
    other = explain(service, label="dance", contrast="ballad", control_seed=3)
    assert (one.label, one.contrast) == ("ballad", "dance")
    np.testing.assert_allclose(array(one.relevance), 1 - array(other.relevance), atol=2e-3)
    said = {each.label: each.probability for each in one.labels}
    assert one.trust.masked_probability >= 0
    assert (said["ballad"] > said["dance"]) != (said["dance"] > said["ballad"])


def test_what_is_carried_keeps_the_label_as_the_listener_decides(service, engine, tagging):
    """The pictures are made again by the bundle's own graph; what they mean is decided here."""
    response = explain(service, label="dance", control_seed=11)
    rows = {"label": 1, "contrast": -1, "trial": 0, "control_seed": 11}
    region = np.frombuffer(response.region.inside, np.uint8).reshape(1, 173, 257).astype(np.float32)
    for draw in range(3):
        inputs = {name: np.array([[value]], np.int32) for name, value in (rows | {"draw": draw}).items()}
        given = {"log_mel": array(response.log_mel)[None], "region": region} | inputs
        probability = engine.run("exchanged_tagger", given)["probability"][0]
        carried = response.trust.exchange.carried
        assert carried.probabilities[draw] == pytest.approx(float(probability[1]), abs=1e-4)
        assert carried.keeps[draw] == (probability.argmax() == 1)


def test_a_region_is_heard_through_the_listeners_own_ears(service, engine):
    response = explain(service, listen=True, control_seed=2)
    heard = np.frombuffer(response.explanation_audio.samples, "<f4")
    assert response.explanation_audio.sample_rate_hz == 11025
    probability = engine.run("predict_tagger", {"samples": heard[None]})["probability"][0]
    label = LABELS.index(response.label)
    assert response.trust.heard_probability == pytest.approx(float(probability[label]), abs=1e-4)
    assert response.trust.heard_label_kept == (probability.argmax() == label)
    assert len(response.trust.heard_controls_keep_label) == 3
    assert response.trust.exchange.HasField("carried_heard_label_kept")


def test_the_largest_alpha_keeps_the_label(service):
    region = RegionChoice(largest_alpha_that_keeps_label=True)
    assert explain(service, region=region).trust.label_kept


def test_a_curve_has_an_excerpt_about_every_second(service, engine):
    response = service.stub.Predict(PredictRequest(audio=AUDIO, listener="tagger", label="hiphop"))
    rate = 11025 / 256 / 43
    assert response.frames_per_second == pytest.approx(rate)
    assert len(response.probability) == pytest.approx(7 * rate, abs=1)
    assert [each.label for each in response.labels] == LABELS
    assert list(response.labels[2].probability) == pytest.approx(list(response.probability))
    rows = np.array([each.probability for each in response.labels]).T
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-5)
    whole = explain(service, at_s=3 / rate, label="hiphop").trust.probability
    assert response.probability[3] == pytest.approx(whole, abs=2e-3)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"listener": "nobody"}, "listener", "the bundle's listeners are detector, tagger"),
        ({"label": "polka"}, "label", "the listener's labels are ballad, dance, hiphop"),
        ({"contrast": "vocal"}, "contrast", "the listener's labels are ballad, dance, hiphop"),
        ({"label": "dance", "contrast": "dance"}, "contrast", "as label is"),
        ({"rule": "masker"}, "rule", "the bundle explains by gradient"),
    ],
)
def test_names_the_bundle_does_not_know_are_refused_with_those_it_does(service, options, field, says):
    asked = {"audio": AUDIO, "at_s": 3.0, "listener": "tagger"} | options
    error = refusal(service.stub.Explain, ExplainRequest(**asked))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert says in violated(error)[field]


def test_what_the_bundle_lacks_is_named(service):
    for call, request, says in (
        (service.stub.InvertLayers, InvertLayersRequest(audio=AUDIO, listener="tagger"), "invert layers of tagger"),
        (service.stub.Auralise, AuraliseRequest(audio=AUDIO, listener="tagger", layer="conv1"), "of the tagger heard"),
        (lambda request: list(service.stub.Maximise(request)), MaximiseRequest(listener="tagger"), "maximise tagger"),
    ):
        error = refusal(call, request)
        assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert says in error.details()


def test_a_rule_that_explains_the_prediction_alone_says_who_explains_more(service):
    predicted = service.stub.Explain(ExplainRequest(audio=AUDIO, at_s=3.0)).predicted_label
    other = {"vocal": "instrumental", "instrumental": "vocal"}[predicted]
    error = refusal(service.stub.Explain, ExplainRequest(audio=AUDIO, at_s=3.0, label=other))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert f"here {predicted}, and no other; no rule of the bundle explains any label" in error.details()


def test_a_network_and_another_listener_contradict_each_other(service):
    request = AuraliseRequest(audio=AUDIO, listener="tagger", network=NETWORK_DETECTOR, layer="conv1")
    assert "not two different ones" in violated(refusal(service.stub.Auralise, request))["network"]


def test_explanations_are_counted_by_listener_and_label(service, tagging):
    labels = {"bundle": tagging.name, "listener": "tagger", "rule": "gradient", "label": "dance", "trial": "carried"}

    def counted():
        name = "phonoscope_exchange_trials_total"
        return sum(service.count(name, **labels, label_kept=kept) for kept in ("true", "false"))

    before = counted()
    explain(service, label="dance")
    assert counted() == before + 3


def track(service, **fields):
    sound = track_pb2.PcmStream(sample_rate_hz=22050)
    asked = track_pb2.TrackSettings(**({"pcm": sound, "listener": "tagger"} | fields))
    parts = [track_pb2.ExplainTrackRequest(settings=asked), track_pb2.ExplainTrackRequest(chunk=SONG.tobytes())]
    return list(service.stub.ExplainTrack(iter(parts), timeout=600))


def test_a_track_is_heard_by_any_listener_and_says_so(service):
    curve = service.stub.Predict(PredictRequest(audio=AUDIO, listener="tagger", label="hiphop", decision=Decision()))
    moments = TrackMoments(every_s=2)
    events = track(service, label="hiphop", contrast="dance", moments=moments, spectrogram=True)
    begun, summary = events[0].begun, events[-1].summary
    assert (begun.listener, begun.label, begun.contrast, list(begun.labels)) == ("tagger", "hiphop", "dance", LABELS)
    assert begun.frames_per_second == curve.frames_per_second
    assert begun.map_frames_per_second == pytest.approx(11025 / 256)
    assert (begun.threshold, begun.decision.HasField("threshold")) == (0, False)
    pieces = [event.curve for event in events if event.HasField("curve")]
    np.testing.assert_allclose([p for each in pieces for p in each.probability], curve.probability, atol=1e-5)
    assert all(each.labels[2].probability == each.probability for each in pieces)
    assert sum(each.log_mel.frames for each in pieces) == pytest.approx(7 * begun.map_frames_per_second, abs=4)
    assert [(each.label_name, each.label) for each in summary.segments] == [
        (each.label_name, LABEL_UNSPECIFIED) for each in curve.segments
    ]
    explained = [event.explanation for event in events if event.HasField("explanation")]
    assert [each.label for each in explained] == ["hiphop"] * 4
    for each in explained:
        said = {label.label: label.probability for label in each.labels}
        assert each.trust.probability == pytest.approx(said["hiphop"])
        assert each.predicted_label == max(said, key=said.__getitem__)
        assert each.trust.predicted_label == LABEL_UNSPECIFIED
    assert [(each.label_name, each.explained) for each in summary.relevance] == [("hiphop", 4)]
    assert {each.label_name for each in summary.most_trustworthy} == {"hiphop"}


def test_of_a_track_without_a_label_the_curve_is_of_the_label_that_is_given(service):
    pieces = [event.curve for event in track(service) if event.HasField("curve")]
    for piece in pieces:
        rows = np.array([each.probability for each in piece.labels])
        np.testing.assert_array_equal(rows.max(axis=0).astype(np.float32), np.array(piece.probability, np.float32))


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"label": "polka"}, "label", "the listener's labels are ballad, dance, hiphop"),
        ({"contrast": "dance"}, "contrast", "name the label, too; tagger has ballad, dance, hiphop"),
        (
            {"moments": TrackMoments(where_label_name="vocal")},
            "where_label_name",
            "moments are called ballad",
        ),
        ({"moments": TrackMoments(where_label=1)}, "where_label", "moments are called ballad"),
        (
            {"moments": TrackMoments(where_label=1, where_label_name="dance")},
            "where_label_name",
            "one of them",
        ),
        ({"decision": Decision(threshold=0.5)}, "threshold", "the most probable label is the answer"),
    ],
)
def test_what_a_listener_cannot_be_asked_of_a_track_is_said_by_name(service, fields, field, says):
    found = violated(refusal(track, service, **fields))
    assert [each for each in found if each.endswith(field)]
    assert says in "".join(found.values())


def test_tracks_are_counted_by_listener_label_and_seconds(service, tagging):
    labels = {
        "bundle": tagging.name,
        "listener": "tagger",
        "rule": "gradient",
        "region": "alpha",
        "masking": "m1",
        "label": "dance",
    }

    def counted():
        name, seconds = "phonoscope_explanations_total", service.count("phonoscope_track_seconds_total")
        return sum(service.count(name, **labels, label_kept=kept) for kept in ("true", "false")), seconds

    before = counted()
    track(service, label="dance", moments=TrackMoments(every_s=2))
    after = counted()
    assert after[0] - before[0] == 4
    assert after[1] - before[1] == pytest.approx(7, abs=1)


def test_a_track_that_is_cancelled_leaves_nothing_behind(service):
    stop = threading.Event()

    def endless():
        sound, moments = track_pb2.PcmStream(sample_rate_hz=22050), TrackMoments(every_s=0.5)
        settings = track_pb2.TrackSettings(pcm=sound, listener="tagger", moments=moments)
        yield track_pb2.ExplainTrackRequest(settings=settings)
        while not stop.is_set():
            yield track_pb2.ExplainTrackRequest(chunk=SONG.tobytes())

    call = service.stub.ExplainTrack(endless(), timeout=600)
    kinds = [next(call).WhichOneof("event") for _ in range(3)]
    assert kinds == ["begun", "curve", "explanation"]
    assert service.count("phonoscope_work_calls", kind="track") == 1
    call.cancel()
    stop.set()
    wait_until(lambda: service.count("phonoscope_work_calls", kind="track") == 0)
    wait_until(lambda: service.count("phonoscope_queue_rows", model="evidence_tagger") == 0)

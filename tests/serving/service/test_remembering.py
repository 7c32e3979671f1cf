"""A service that remembers, as its callers meet it: the same answers, and nothing is computed for them again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from phonoscope.v1 import explanation_pb2
from phonoscope.v1.auralisation_pb2 import NETWORK_DETECTOR, AuraliseRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope.v1.prediction_pb2 import PredictRequest
from phonoscope_serving.engines.remembered import RememberOptions
from support.corpora.sound import encoded, file, music, pcm
from support.services.running import running

SOUND = pcm(music(3))


@pytest.fixture(scope="module")
def remembering(bundle):
    options = {"remember": RememberOptions(seconds=3600)}
    with running(bundle, server_options=options, device="cpu", threads=1) as service:
        yield service


def run(service):
    """How many batches the engine has run so far."""
    return sum(
        sample.value
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "phonoscope_engine_seconds_count"
    )


def told(answer):
    """All that an answer says but how long it took."""
    if hasattr(answer, "seconds"):
        answer.seconds = 0
    return answer


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("Explain", ExplainRequest(audio=SOUND, at_s=0.9)),
        ("Explain", ExplainRequest(audio=SOUND, at_s=1.0, listen=True, detailed=True, nearest=2)),
        ("InvertLayers", InvertLayersRequest(audio=SOUND, at_s=1.1, listen=True)),
        ("Auralise", AuraliseRequest(audio=SOUND, at_s=1.2, network=NETWORK_DETECTOR, layer="conv4", strongest=2)),
        ("Predict", PredictRequest(audio=SOUND)),
    ],
    ids=["explain", "listen", "invert", "auralise", "predict"],
)
def test_who_asks_the_same_is_told_the_same_and_nothing_is_computed(remembering, method, request_):
    ask = getattr(remembering.stub, method)
    first, before = ask(request_), run(remembering)
    assert told(ask(request_)) == told(first)
    assert run(remembering) == before


def test_less_evidence_is_found_among_more(remembering):
    full = ExplainRequest(audio=SOUND, at_s=1.5)
    remembering.stub.Explain(full)
    kept = ExplainRequest(audio=SOUND, at_s=1.5, evidence=explanation_pb2.EVIDENCE_KEPT)
    labels = {"model": "exchanged"}
    before = remembering.count("phonoscope_engine_seconds_count", **labels)
    exchange = remembering.stub.Explain(kept).trust.exchange
    assert remembering.count("phonoscope_engine_seconds_count", **labels) == before
    assert (exchange.carried.n, exchange.silhouette.n) == (2, 2)


def test_another_seed_or_moment_is_another_question(remembering):
    before = run(remembering)
    for asked in ({"at_s": 2.0}, {"at_s": 2.0, "control_seed": 7}, {"at_s": 2.1}):
        remembering.stub.Explain(ExplainRequest(audio=SOUND, **asked))
        assert run(remembering) > before
        before = run(remembering)


def test_a_file_is_decoded_once_for_a_moment(remembering):
    song = file(encoded(music(3), 22050, "FLAC"))
    answers, decoded = [], []
    for _ in range(3):
        answers.append(remembering.stub.Explain(ExplainRequest(audio=song, at_s=1.7)))
        decoded.append(remembering.count("phonoscope_decode_seconds_count"))
    assert answers[0] == answers[1] == answers[2]
    assert decoded[0] == decoded[1] == decoded[2]


def test_callers_that_ask_the_same_at_once_share_the_work(remembering):
    asked = ExplainRequest(audio=SOUND, at_s=1.3)
    before = remembering.count("phonoscope_remembered_total", kind="explain", outcome="miss")
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: remembering.stub.Explain(asked), range(8)))
    assert all(answer == answers[0] for answer in answers)
    missed = remembering.count("phonoscope_remembered_total", kind="explain", outcome="miss") - before
    assert missed == 2 + sum(each.n for each in shares(answers[0]))  # the excerpt, its explanation, and each trial


def shares(answer):
    exchange = answer.trust.exchange
    return [getattr(exchange, name) for name in ("carried", "silhouette", "removed", "random", "shifted", "other")]


def test_without_the_option_nothing_is_kept(service):
    for _ in range(2):
        service.stub.Explain(ExplainRequest(audio=SOUND, at_s=0.8))
    assert service.count("phonoscope_remembered_bytes") == 0
    assert service.count("phonoscope_remembered_total", kind="explain", outcome="hit") == 0

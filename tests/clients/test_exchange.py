"""Evidence by exchange between client and service: what is asked, and what an answer is read as."""

import numpy as np
import pytest
from phonoscope.v1 import explanation_pb2, time_frequency_pb2
from phonoscope_client import Client, Doubt, InvalidInputError, Share
from support.services.written_answers import serving

TONE = (np.sin(np.arange(44100, dtype=np.float32) / 9), 22050)


def answer(**trust):
    """The least that a service can say."""
    given = time_frequency_pb2.TimeFrequencyMap(frames=1, bands=1, values=np.zeros(1, "<f4").tobytes())
    return explanation_pb2.ExplainResponse(
        at_s=1.0,
        log_mel=given,
        relevance=given,
        region=explanation_pb2.Region(frames=1, bands=1, inside=b"\1"),
        masking=explanation_pb2.MASKING_M1,
        trust=explanation_pb2.Trust(predicted_label=explanation_pb2.LABEL_VOCAL, removed_probability=0.25, **trust),
    )


def explained(evidence=None, **trust):
    """What a client makes of an answer, and what it asked."""
    asked = []

    def reply(request, _):
        asked.append(request)
        return answer(**trust)

    with serving(reply) as address, Client(address) as client:
        return client.explain(TONE, 1.0, evidence=evidence), asked[0]


def share(n, kept):
    return explanation_pb2.Share(n=n, kept=kept, probabilities=[0.5] * n)


EXCHANGE = explanation_pb2.Exchange(
    carried=share(3, 2),
    silhouette=share(3, 1),
    removed=share(2, 0),
    random=share(1, 1),
    shifted=share(1, 0),
    other=share(1, 1),
    carried_over_silhouette=1 / 3,
)


@pytest.mark.parametrize(
    ("evidence", "number"),
    [
        (None, explanation_pb2.EVIDENCE_UNSPECIFIED),
        ("full", explanation_pb2.EVIDENCE_FULL),
        ("kept", explanation_pb2.EVIDENCE_KEPT),
        ("mean-fill", explanation_pb2.EVIDENCE_MEAN_FILL),
    ],
)
def test_each_evidence_is_asked_for_by_its_name(evidence, number):
    assert explained(evidence)[1].evidence == number


def test_evidence_by_another_name_is_refused_before_anything_is_sent():
    with Client("127.0.0.1:1") as client, pytest.raises(InvalidInputError, match="evidence: 'most'; give full or kept"):
        client.explain(TONE, 1.0, evidence="most")


def test_shares_arrive_with_their_counts():
    trust = explained(evidence="full", exchange=EXCHANGE)[0].trust
    assert trust.evidence == "mean-fill", "the answer says what was tried, not the question"
    trust = read(explanation_pb2.EVIDENCE_FULL)
    assert trust.evidence == "full"
    assert trust.carried == Share(3, 2, (0.5, 0.5, 0.5))
    assert trust.silhouette == Share(3, 1, (0.5, 0.5, 0.5))
    assert trust.removed == Share(2, 0, (0.5, 0.5))
    assert {name: each.kept for name, each in trust.controls.items()} == {"random": 1, "shifted": 0, "other": 1}
    assert trust.carried_over_silhouette == pytest.approx(1 / 3, abs=1e-6)
    assert trust.removed_probability == 0.25


def read(evidence):
    """The trust of an answer whose evidence has that number."""

    def reply(*_):
        made = answer(exchange=EXCHANGE)
        made.trust.evidence = evidence
        return made

    with serving(reply) as address, Client(address) as client:
        return client.explain(TONE, 1.0).trust


def test_what_was_not_tried_is_none():
    trust = read(explanation_pb2.EVIDENCE_KEPT)
    assert (trust.evidence, trust.removed, trust.controls, trust.removed_probability) == ("kept", None, {}, None)
    assert trust.carried_heard_probability is None


def test_a_service_of_before_gives_evidence_by_masking():
    trust = explained()[0].trust
    assert (trust.evidence, trust.carried, trust.controls, trust.removed_probability) == ("mean-fill", None, {}, 0.25)


def test_doubt_is_read_where_it_is_given():
    given = explanation_pb2.Doubt(doubt=0.5625, wrong=0.125, foreign=0.5, percentile=0.75)
    assert explained(doubt=given)[0].trust.doubt == Doubt(0.5625, 0.125, 0.5, 0.75)
    assert explained()[0].trust.doubt is None

"""The machinery behind `make soak`; the real run takes minutes."""

import itertools
import math

import grpc
import numpy as np
from bench_soak import KEYS, get_parser
from phonoscope.v1 import bundle_pb2, bundle_reference_pb2, explanation_pb2
from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub
from soak.asking import Outcome, closed_loop, open_loop
from soak.figures import answered, counts, numbers, percentile, unexpected, wrong
from soak.names import NAME, name_server
from soak.swaps import point
from support.services.running import HANG_S
from support.services.written_answers import serving


def explanation(bundle="one", probability=0.8, inside=bytes(100)):
    """A serialised answer of a bundle."""
    return explanation_pb2.ExplainResponse(
        bundle=bundle_reference_pb2.BundleReference(name=bundle, digest=bundle),
        region=explanation_pb2.Region(frames=10, bands=10, inside=inside),
        trust=explanation_pb2.Trust(probability=probability),
    ).SerializeToString()


def ended(status="OK", answer=b"", hinted=False):
    return Outcome(0.0, 1.0, status, hinted, answer)


def test_an_answer_that_is_neither_bundles_is_wrong():
    right = [numbers(explanation("one", 0.8)), numbers(explanation("two", 0.4))]
    near = explanation("one", 0.8005, bytes([1]) + bytes(99))
    assert wrong([ended(answer=near), ended(answer=explanation("two", 0.4)), ended("UNAVAILABLE")], right) == 0
    mixed, other = explanation("one", 0.4), explanation("two", 0.4, bytes([1]) * 100)
    assert wrong([ended(answer=each) for each in (mixed, other, mixed)], right) == 3


def test_a_refusal_without_a_hint_is_unexpected():
    outcomes = [ended(), ended("RESOURCE_EXHAUSTED", hinted=True), ended("RESOURCE_EXHAUSTED"), ended("INTERNAL")]
    assert unexpected(outcomes) == {"RESOURCE_EXHAUSTED": 1, "INTERNAL": 1}
    assert unexpected(outcomes, "INTERNAL") == {"RESOURCE_EXHAUSTED": 1}
    assert counts(outcomes) == {"OK": 1, "RESOURCE_EXHAUSTED": 2, "INTERNAL": 1}


def test_nothing_answered_is_infinitely_slow():
    assert percentile([], 99) == math.inf
    assert percentile(answered([ended(), ended("INTERNAL")]), 99) == 1.0


def test_callers_see_answers_and_refusals():
    turns = itertools.count()

    def answer(request, context):
        if next(turns) % 2:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "every other time")
        return explanation_pb2.ExplainResponse.FromString(explanation())

    with serving(answer) as address:
        closed = closed_loop(address, b"", 2, 0.5)
        opened = open_loop(address, b"", 40, 0.5, HANG_S)
    for outcomes in (closed, opened):
        assert {each.status for each in outcomes} == {"OK", "RESOURCE_EXHAUSTED"}
        assert not any(each.is_refusal for each in outcomes)
    assert len(opened) <= 20


def test_one_name_leads_to_every_address_it_has():
    with serving(lambda request, context: bundle_pb2.DescribeBundleResponse(threshold=0.5)) as address:
        port = address.rpartition(":")[2]
        with name_server(["127.0.0.1"]) as server, grpc.insecure_channel(f"dns://{server}/{NAME}:{port}") as channel:
            described = ExplainerServiceStub(channel).DescribeBundle(bundle_pb2.DescribeBundleRequest(), timeout=HANG_S)
    assert np.isclose(described.threshold, 0.5)


def test_a_bundle_is_published_by_a_link_that_takes_the_others_name(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        point(tmp_path / "current", tmp_path / name)
        assert (tmp_path / "current").resolve() == tmp_path / name
    assert sorted(each.name for each in tmp_path.iterdir()) == ["current", "one", "two"]


def test_figures_are_named_as_the_help_names_them():
    told = get_parser().format_help()
    assert all(key in told for key in KEYS)

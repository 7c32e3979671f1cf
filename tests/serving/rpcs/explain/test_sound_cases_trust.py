"""Evidence from what is heard: none without a region, and never without what random regions sound like."""

import grpc
import numpy as np
import pytest
from phonoscope.v1.explanation_pb2 import EVIDENCE_MEAN_FILL, ExplainRequest, RegionChoice
from support.bundles.judged import judged
from support.corpora.reference_explanation import reference_control_regions, reference_sound
from support.corpora.sound import pcm
from support.corpora.sound_files import song
from support.services.running import refusal

SONG = song(5, start_s=33.5)  # somebody sings
EMPTY = RegionChoice(alpha=1)
HEARD = ("heard_probability", "heard_label_kept", "heard_control_label_kept")
QUIET = {"masked_probability": 0.1, "removed_probability": 0.1, "relative_area": 0.3, "reconstruction_error": 1.0}
QUIET |= {"doubt": 0.2, "wrong": 0.1, "foreign": 0.1}
MEASURED = QUIET | {f"control_{number}_probability": 0.1 for number in (1, 2, 3)}


def ask(service, at_s=2.5, **options):
    given = {"evidence": EVIDENCE_MEAN_FILL} | options
    return service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=at_s, listen=True, **given))


def inside(response):
    """The region `[T, M]`."""
    return np.frombuffer(response.region.inside, np.uint8).reshape(response.region.frames, response.region.bands) == 1


def samples(waveform):
    return np.frombuffer(waveform.samples, "<f4")


@pytest.mark.parametrize("at_s", [0.0, 1.0, 2.5, 4.9])
def test_without_a_region_nothing_is_evidence_that_is_heard(service, at_s):
    response = ask(service, at_s, region=EMPTY)
    assert not inside(response).any()
    assert not any(response.trust.HasField(name) for name in HEARD)
    assert not response.trust.heard_control_probabilities
    assert len(response.trust.control_probabilities) == 3


def test_without_a_region_the_sound_is_the_excerpt_played_more_quietly(service):
    response = ask(service, region=EMPTY, outside_db=20)
    original, played = samples(response.original_audio), samples(response.explanation_audio)
    np.testing.assert_allclose(played[1024:-1024], 0.1 * original[1024:-1024], atol=1e-4)


def test_without_a_region_no_explanation_is_counted_as_heard(service, bundle):
    labels = {"bundle": bundle.name, "listener": "detector", "rule": bundle.default.rules[0].name}

    def counted():
        return [service.count("phonoscope_heard_explanations_total", **labels, label_kept=k) for k in ("true", "false")]

    before = counted()
    ask(service, region=EMPTY)
    assert counted() == before


def test_nothing_is_heard_where_sound_was_not_asked_for(service):
    trust = service.stub.Explain(ExplainRequest(audio=pcm(SONG), at_s=2.5)).trust
    assert not any(trust.HasField(name) for name in HEARD)
    assert not trust.heard_control_probabilities


@pytest.mark.parametrize(
    "choice", [{"alpha": 0.4}, {"alpha": 0}, {"maximum_area": 0.05}, {"largest_alpha_that_keeps_label": True}]
)
@pytest.mark.parametrize("outside_db", [0, 25])
def test_random_regions_of_the_same_area_are_played_as_the_region_is(service, bare, choice, outside_db):
    """Against regions drawn by a sort and sounds made frame by frame; only the detector is the bundle's."""
    response = ask(service, region=RegionChoice(**choice), outside_db=outside_db, control_seed=2018)
    region, trust = inside(response), response.trust
    regions = [region, *reference_control_regions(2018, int(region.sum()))]
    sounds = np.stack([reference_sound(samples(response.original_audio), each, outside_db) for each in regions])
    standardised = bare.run("frontend", {"samples": sounds})["standardised"]
    heard = bare.run("detector", {"excerpt": standardised})["probability"][:, 0]
    assert trust.heard_probability == pytest.approx(heard[0], abs=2e-3)
    assert list(trust.heard_control_probabilities) == pytest.approx(heard[1:], abs=2e-3)
    label = trust.probability >= response.threshold
    kept = [(each >= response.threshold) == label for each in trust.heard_control_probabilities]
    assert trust.heard_control_label_kept == (sum(kept) >= 2)


def test_digital_silence_is_no_sound_to_hear_evidence_in(service):
    request = ExplainRequest(audio=pcm(0 * SONG), at_s=2.5, listen=True)
    assert refusal(service.stub.Explain, request).code() == grpc.StatusCode.INVALID_ARGUMENT


def test_where_nothing_is_left_out_random_regions_sound_as_the_region_does(service):
    trust = ask(service, outside_db=0).trust
    assert list(trust.heard_control_probabilities) == pytest.approx([trust.heard_probability] * 3, abs=1e-3)
    assert trust.heard_control_label_kept == trust.heard_label_kept


@pytest.mark.parametrize("vocal", [True, False])
@pytest.mark.parametrize("keep", [0, 1, 2, 3])
def test_chance_keeps_the_label_where_most_random_regions_do(bundle, vocal, keep):
    same, other = (0.99, 0.01) if vocal else (0.01, 0.99)
    heard = [other, *[same] * keep, *[other] * (3 - keep)]
    trust = judged(MEASURED | {"probability": same}, bundle.default, 7, heard)
    assert trust.heard_label_kept is False
    assert trust.heard_control_probabilities == tuple(heard[1:])
    assert trust.heard_control_label_kept == (keep >= 2)

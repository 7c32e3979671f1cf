"""Evidence by exchange with other music, as a service gives it."""

import json
import shutil

import grpc
import numpy as np
import pytest
from phonoscope.v1.bundle_pb2 import DescribeBundleRequest
from phonoscope.v1.explanation_pb2 import (
    EVIDENCE_FULL,
    EVIDENCE_KEPT,
    EVIDENCE_MEAN_FILL,
    EVIDENCE_UNSPECIFIED,
    ExplainRequest,
    RegionChoice,
)
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import BundleError
from phonoscope_trainer.graphs.bank import unpacked
from support.bundles.repository import edit_manifest, replace
from support.bundles.small_bank import EXCERPTS, small_bank
from support.corpora.reference_exchange import reference_draw, reference_picture
from support.corpora.reference_explanation import reference_control_regions
from support.corpora.sound import pcm
from support.corpora.sound_files import song
from support.services.running import array, refusal, violated

SONG = song(5, start_s=33.5)  # somebody sings
SEED = 2018
FULL = {"carried": 3, "silhouette": 3, "removed": 2, "random": 1, "shifted": 1, "other": 1}
KEPT = {"carried": 2, "silhouette": 2}
REGION = RegionChoice(maximum_area=0.3)


def ask(service, **options):
    given = {"at_s": 2.5, "region": REGION, "control_seed": SEED} | options
    return service.stub.Explain(ExplainRequest(audio=pcm(SONG), **given))


def shares(response):
    return {name: getattr(response.trust.exchange, name) for name in FULL}


def inside(response):
    return np.frombuffer(response.region.inside, np.uint8).reshape(115, 80) == 1


def samples(waveform):
    return np.frombuffer(waveform.samples, "<f4")


@pytest.fixture(scope="module")
def full(exchanging):
    return ask(exchanging)


def test_all_that_can_be_is_tried_where_nothing_is_asked(full):
    assert full.trust.evidence == EVIDENCE_FULL
    assert {name: share.n for name, share in shares(full).items()} == FULL
    assert not full.trust.control_probabilities


def test_kept_counts_the_tries_that_have_the_excerpts_label(full):
    label = full.trust.probability >= full.threshold
    for name, share in shares(full).items():
        assert len(share.probabilities) == share.n
        assert share.kept == sum((each >= full.threshold) == label for each in share.probabilities), name
    found = shares(full)
    expected = found["carried"].kept / 3 - found["silhouette"].kept / 3
    assert full.trust.exchange.carried_over_silhouette == pytest.approx(expected)


@pytest.mark.parametrize("trial", FULL)
def test_the_detector_was_asked_about_the_pictures_of_the_definition(full, bare, trial):
    """Pictures put together bin by bin; only standardisation and the detector are the bundle's."""
    bank, log_mel, region = small_bank(), array(full.log_mel), inside(full)
    vocal = int(full.trust.probability >= full.threshold)
    other_music = unpacked(bank.log_mel, bank.step).double().numpy()[1 - vocal]
    if trial == "random":
        region = reference_control_regions(SEED, int(region.sum()))[0]
    pictures = []
    for draw in range(FULL[trial]):
        host, third, other = reference_draw(SEED, draw, EXCERPTS)
        relevance = bank.ranks[vocal, other].numpy().astype(float)
        name = "carried" if trial == "random" else trial
        pictures.append(
            reference_picture(name, log_mel.astype(float), region, other_music[host], other_music[third], relevance)
        )
    expected = bare.run("detector", {"excerpt": standardised(bare, np.array(pictures))})["probability"][:, 0]
    assert list(shares(full)[trial].probabilities) == pytest.approx(expected, abs=2e-3)


def standardised(bare, pictures):
    """By the bundle's own band statistics, read off what its front-end makes of some sound."""
    made = bare.run("frontend", {"samples": SONG[None]})
    raw, ready = made["log_mel"][0].astype(float), made["standardised"][0].astype(float)
    slope = ready.std(axis=0) / raw.std(axis=0)
    return ((pictures - raw.mean(axis=0)) * slope + ready.mean(axis=0)).astype(np.float32)


def test_the_same_question_has_the_same_answer_and_another_seed_another(exchanging):
    first, again = (ask(exchanging, control_seed=5) for _ in range(2))
    for name, share in shares(first).items():
        assert list(share.probabilities) == pytest.approx(list(shares(again)[name].probabilities), abs=1e-5)
    carried = list(shares(first)["carried"].probabilities)
    others = [ask(exchanging, control_seed=seed) for seed in (6, 7, 8)]
    assert any(list(shares(each)["carried"].probabilities) != pytest.approx(carried, abs=1e-5) for each in others)


def test_only_what_is_kept_is_tried_where_that_is_asked(exchanging, full):
    response = ask(exchanging, evidence=EVIDENCE_KEPT)
    assert response.trust.evidence == EVIDENCE_KEPT
    assert {name: share.n for name, share in shares(response).items() if share.n} == KEPT
    for name in KEPT:
        expected = list(shares(full)[name].probabilities)[:2]
        assert list(shares(response)[name].probabilities) == pytest.approx(expected, abs=1e-5)
    assert response.trust.removed_probability == 0
    assert response.trust.masked_probability == pytest.approx(full.trust.masked_probability, abs=1e-5)


def test_without_exchange_the_answer_is_that_of_masking(exchanging):
    trust = ask(exchanging, evidence=EVIDENCE_MEAN_FILL).trust
    assert trust.evidence == EVIDENCE_MEAN_FILL
    assert not trust.HasField("exchange")
    assert len(trust.control_probabilities) == 3


def test_of_a_region_without_a_bin_nothing_is_tried(exchanging):
    response = ask(exchanging, region=RegionChoice(alpha=1), listen=True)
    assert not inside(response).any()
    assert {share.n for share in shares(response).values()} == {0}
    assert not response.trust.exchange.HasField("carried_over_silhouette")
    assert not response.HasField("carried_audio")


def test_the_region_that_keeps_the_label_is_exchanged_too(exchanging):
    response = ask(exchanging, region=RegionChoice(largest_alpha_that_keeps_label=True))
    assert {name: share.n for name, share in shares(response).items()} == FULL


def test_the_exchange_is_heard_by_the_detector_again(exchanging, bare):
    response = ask(exchanging, listen=True)
    sounds = np.stack([samples(response.carried_audio), samples(response.silhouette_audio)])
    ready = bare.run("frontend", {"samples": sounds})["standardised"]
    carried, silhouette = bare.run("detector", {"excerpt": ready})["probability"][:, 0]
    assert response.trust.exchange.carried_heard_probability == pytest.approx(carried, abs=1e-3)
    assert response.trust.exchange.silhouette_heard_probability == pytest.approx(silhouette, abs=1e-3)
    silent = ask(exchanging)
    assert not silent.HasField("carried_audio")
    assert not silent.trust.exchange.HasField("carried_heard_probability")


def test_a_bundle_without_other_music_answers_by_masking_and_says_so(masking_only):
    trust = ask(masking_only, evidence=EVIDENCE_UNSPECIFIED, listen=True).trust
    assert trust.evidence == EVIDENCE_MEAN_FILL
    assert not trust.HasField("exchange")
    assert not masking_only.stub.DescribeBundle(DescribeBundleRequest()).HasField("exchange")


@pytest.mark.parametrize("evidence", [EVIDENCE_FULL, EVIDENCE_KEPT])
def test_what_a_bundle_without_other_music_cannot_try_is_refused(masking_only, evidence):
    request = ExplainRequest(audio=pcm(SONG), at_s=2.5, evidence=evidence)
    error = refusal(masking_only.stub.Explain, request)
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "no other music" in error.details()


def test_evidence_that_nobody_knows_is_refused(exchanging):
    error = refusal(exchanging.stub.Explain, ExplainRequest(audio=pcm(SONG), at_s=2.5, evidence=9))
    assert violated(error) == {"evidence": "is 9, which names no evidence"}


def test_every_try_is_counted(exchanging, exchanging_bundle):
    def counted(trial):
        labels = {
            "bundle": exchanging_bundle.name,
            "listener": "detector",
            "rule": exchanging_bundle.default.rules[0].name,
            "trial": trial,
        }
        return sum(
            exchanging.count("phonoscope_exchange_trials_total", **labels, label=label, label_kept=kept)
            for label in ("vocal", "instrumental")
            for kept in ("true", "false")
        )

    before = {trial: counted(trial) for trial in FULL}
    ask(exchanging)
    assert {trial: counted(trial) - before[trial] for trial in FULL} == FULL


def test_what_is_served_says_what_regions_are_exchanged_with(exchanging):
    described = exchanging.stub.DescribeBundle(DescribeBundleRequest())
    assert (described.exchange.excerpts, described.exchange.licence) == (EXCERPTS, "CC0-1.0")


def test_other_music_that_is_promised_and_missing_is_an_error(exchanging_bundle, tmp_path):
    root = shutil.copytree(exchanging_bundle.root, tmp_path / "repository")
    replace(root, "exchange/config.pbtxt", "carried,silhouette", "carried")
    with pytest.raises(BundleError, match="parameter trials lacks silhouette"):
        load_bundle(root)
    shutil.rmtree(root / "exchanged")
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    edit_manifest(root, files={path: digest for path, digest in files.items() if not path.startswith("exchanged/")})
    with pytest.raises(BundleError, match="no model exchanged"):
        load_bundle(root)

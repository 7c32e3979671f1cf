"""Tracks for listeners that hear excerpts, and labels that are named, against `Predict` and `Explain`."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.listeners.listener import named
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import InvalidRequest, NotInBundle
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.decision import Decision
from phonoscope_serving.rpcs.explain.answer import Question, explain
from phonoscope_serving.rpcs.explain.region import Alpha, LargestAlphaThatKeepsLabel, Masking, MaximumArea
from phonoscope_serving.rpcs.predict import predict
from phonoscope_serving.rpcs.track.answer import Begun, Curve, explain_track
from phonoscope_serving.rpcs.track.excerpts import rows_a_turn
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.rpcs.track.question import Moments, Pcm, TrackQuestion, TrustLevel
from phonoscope_serving.rpcs.track.summary import Summary
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.repository import edit_manifest
from support.corpora.music import melody
from support.corpora.sound import music
from triton_server.server import linked

RATE, HOP, CONTEXT = 11025 / 256, 43, 86
SEED = 7
QUESTION = TrackQuestion(
    Pcm(11025, 1), Moments(every_s=1.7), MaximumArea(0.2), Masking.M1, TrustLevel.KEPT, control_seed=SEED
)
WHOLE, LABELS = replace(QUESTION, sound=Pcm(22050, 1)), ("", "vocal", "instrumental")  # for the detector
# At the tagger's own rate: resampled in one piece or another, the softest bins differ by more than rounding.
# It is one of chance: what it makes of music and of noise differs, and that is enough here.
NOISE = np.random.default_rng(3).normal(0, 0.1, 6 * 11025).astype(np.float32)
SONG = np.concatenate([music(6, 11025), NOISE, melody(6, 5, 11025)])


async def asked(root, name):
    bundle, decoder = load_bundle(root), Decoder(2)
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu", threads=1), Metrics())
    await engine.start()
    yield Call(engine, bundle, decoder, asked=named(bundle.listeners, name))
    await engine.close()
    decoder.close()


@pytest.fixture(scope="module")
async def tagger(tagging_root):
    async for call in asked(tagging_root, "tagger"):
        yield call


@pytest.fixture(scope="module")
async def tags(tagging_root, tmp_path_factory, tagger):
    """The same listener, of whose labels any number hold."""
    root = tmp_path_factory.mktemp("tags") / "repository"
    shutil.copytree(tagging_root, root, copy_function=linked)
    listeners = json.loads((root / "MANIFEST.json").read_text())["listeners"]
    thresholds = np.median(await said(tagger, SONG), axis=0).tolist()
    edit_manifest(root, listeners=[listeners[0], listeners[1] | {"decision": "multi-label", "thresholds": thresholds}])
    async for call in asked(root, "tagger"):
        yield call


async def said(call, samples):
    """The curve of each label."""
    return (await predict(call, PcmAudio(samples.tobytes(), 11025, 1))).probability


async def answered(call, question, samples, size=30_000):
    content = samples.tobytes()

    async def chunks():
        for at in range(0, len(content), size):
            yield content[at : at + size]

    async with aclosing(chunks()) as parts, aclosing(explain_track(call, question, parts)) as events:
        return [event async for event in events]


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


async def assert_explained(call, moment, samples, question):
    """As `Explain` does at that moment: a bin as relevant as alpha, but for rounding, may lie on either side."""
    rate = call.listener.front_end.frames_per_second
    asking = Question(
        moment.frame / rate,
        question.rule,
        question.region,
        question.masking,
        control_seed=question.control_seed,
        label=question.label,
        contrast=question.contrast,
    )
    own = await explain(call, PcmAudio(samples.tobytes(), question.sound.sample_rate_hz, 1), asking)
    np.testing.assert_allclose(moment.relevance, own.relevance, atol=1e-4)
    assert np.abs(own.relevance - own.alpha)[moment.mask != own.mask].max(initial=0) < 1e-4
    said_of = [own.labels[label].probability for label in call.listener.decision.labels[: len(moment.probability)]]
    np.testing.assert_allclose(moment.probability, said_of, atol=1e-4)
    assert moment.alpha == pytest.approx(own.alpha, abs=1e-4)
    assert moment.trust.claim == own.claim
    assert moment.trust.probability == pytest.approx(own.trust.probability, abs=1e-4)
    assert moment.trust.masked_probability == pytest.approx(own.trust.masked_probability, abs=1e-4)
    if moment.level is TrustLevel.FULL and own.trust.exchange.carried.n:
        for trial in ("carried", "silhouette", "removed"):
            mine, theirs = getattr(moment.trust.exchange, trial), getattr(own.trust.exchange, trial)
            assert mine.probabilities[0] == pytest.approx(theirs.probabilities[0], abs=1e-4)


async def test_the_curve_is_the_one_that_predict_answers(tagger):
    events = await answered(tagger, replace(QUESTION, spectrogram=True), SONG)
    expected = await said(tagger, SONG)
    pieces = of(events, Curve)
    assert isinstance(events[0], Begun)
    assert [each.first_frame for each in pieces] == list(range(0, len(expected), 4))
    np.testing.assert_allclose(np.concatenate([each.probability for each in pieces]), expected, atol=1e-5)
    heard = np.concatenate([each.log_mel for each in pieces])
    for moment in of(events, Moment)[2:-2]:
        around = heard[moment.frame - CONTEXT : moment.frame + CONTEXT + 1]
        np.testing.assert_allclose(around[1:-1], moment.log_mel[1:-1], atol=1e-3)  # an excerpt's outermost are padded
    assert isinstance(events[-1], Summary)
    assert (events[-1].complete, events[-1].frames, events[-1].heard_until) == (True, len(expected), len(heard))


@pytest.mark.parametrize(("label", "contrast"), [("", ""), ("dance", ""), ("dance", "ballad")])
@pytest.mark.parametrize("trust", [TrustLevel.KEPT, TrustLevel.FULL])
async def test_a_moment_is_explained_as_explain_explains_it(tagger, label, contrast, trust):
    samples = SONG[: 9 * 11025]
    moments = Moments(every_s=2.3, at_s=(0.0, 1.01, 8.9, 8.99))
    question = replace(QUESTION, moments=moments, trust=trust, label=label, contrast=contrast)
    found = of(await answered(tagger, question, samples), Moment)
    frames = {round(at_s * RATE) for at_s in (0.0, 1.01, 2.3, 4.6, 6.9, 8.9)} | {int((9 * 11025 - 512) / 256)}
    assert [each.frame for each in found] == sorted(frames)
    for moment in found:
        await assert_explained(tagger, moment, samples, question)


@pytest.mark.parametrize("region", [Alpha(None), LargestAlphaThatKeepsLabel()])
@pytest.mark.parametrize("masking", list(Masking))
async def test_regions_are_chosen_as_explain_chooses_them(tagger, region, masking):
    question = replace(QUESTION, region=region, masking=masking, outside_db=20.0)
    samples = SONG[: 4 * 11025]
    for moment in of(await answered(tagger, question, samples), Moment):
        await assert_explained(tagger, moment, samples, question)
        assert moment.audio.shape == moment.samples.shape == (44100,)


async def test_segments_are_by_the_most_probable_label_and_moments_follow_them(tagger):
    expected = (await said(tagger, SONG)).argmax(axis=1)
    changes = [int(row) * HOP for row in np.flatnonzero(np.diff(expected)) + 1]
    assert changes
    question = replace(QUESTION, moments=Moments(where_it_changes=True))
    events = await answered(tagger, question, SONG)
    assert [each.frame for each in of(events, Moment)] == changes
    segments = [segment for segment, _ in events[-1].segments]
    assert [each.first_frame for each in segments] == [0, *changes]
    assert [each.label for each in segments] == [expected[each.first_frame // HOP] for each in segments]
    assert sum(trust.explained for _, trust in events[-1].segments) == len(changes)
    for label, (count, mean) in events[-1].relevance.items():
        own = [each.relevance for each in of(events, Moment) if each.trust.claim.name == label]
        assert count == len(own)
        np.testing.assert_allclose(mean, np.mean(own, axis=0), atol=1e-5)
    asked_of = events[0].naming.labels[expected[-1]]
    where = await answered(tagger, replace(QUESTION, moments=Moments(every_s=1.0, where_label=asked_of)), SONG)
    rows = [round(number * RATE) // HOP for number in range(18)]
    assert len(of(where, Moment)) == sum(expected[row] == expected[-1] for row in rows)


async def test_the_most_and_least_certain_are_known_by_how_far_the_label_is_ahead(tagger):
    ranked = np.sort(await said(tagger, SONG), axis=1)
    ahead = ranked[:, -1] - ranked[:, -2]
    question = replace(QUESTION, moments=Moments(most_certain=1, least_certain=1))
    found = [each.frame for each in of(await answered(tagger, question, SONG), Moment)]
    assert found == sorted({int(ahead.argmax()) * HOP, int(ahead.argmin()) * HOP})


async def test_a_track_that_is_taken_up_again_goes_on_as_if_it_had_been_heard(tagger):
    whole, later = [await answered(tagger, replace(QUESTION, from_s=from_s), SONG) for from_s in (0.0, 7.2)]
    first = round(7.2 * RATE) // HOP
    assert of(later, Curve)[0].first_frame == first
    curve = np.concatenate([each.probability for each in of(whole, Curve)])
    np.testing.assert_allclose(
        np.concatenate([each.probability for each in of(later, Curve)]), curve[first:], atol=1e-5
    )
    expected = [each.frame for each in of(whole, Moment) if each.frame >= first * HOP]
    assert [each.frame for each in of(later, Moment)] == expected


async def test_a_deadline_ends_it_where_it_can_be_taken_up_again(tagger):
    async def parts():
        for _ in range(1200):
            yield SONG[: 3 * 11025].tobytes()

    late = replace(tagger, deadline=asyncio.get_running_loop().time() + 3)
    async with aclosing(explain_track(late, replace(QUESTION, moments=Moments(every_s=0.5)), parts())) as events:
        found = [event async for event in events]
    summary = found[-1]
    assert not summary.complete
    assert summary.heard_until % HOP == 0
    assert summary.heard_until <= summary.frames * HOP
    explained = {each.frame for each in of(found, Moment)}
    assert {round(number * RATE / 2) for number in range(2 * int(summary.heard_until / RATE))} <= explained


async def test_of_labels_that_hold_beside_each_other_one_is_decided_upon(tags):
    expected = (await said(tags, SONG))[:, 1] >= np.float32(tags.listener.decision.thresholds[1])
    changes = [int(row) * HOP for row in np.flatnonzero(np.diff(expected)) + 1]
    moments = Moments(where_it_changes=True, where_label="dance", every_s=2)
    events = await answered(tags, replace(QUESTION, moments=moments, label="dance", decision=Decision()), SONG)
    assert events[0].naming.labels == ("dance", "not dance")
    assert [segment.first_frame for segment, _ in events[-1].segments] == [0, *changes]
    assert [segment.label == 0 for segment, _ in events[-1].segments] == [
        bool(expected[at // HOP]) for at in [0, *changes]
    ]
    found = of(events, Moment)
    assert {each.trust.claim.name for each in found} == {"dance"}
    for moment in found[:3]:
        await assert_explained(tags, moment, SONG, replace(QUESTION, label="dance"))
    with pytest.raises(InvalidRequest, match=r"label: is missing: of tagger any number may hold.*ballad, dance"):
        await answered(tags, QUESTION, SONG)


async def test_a_rule_that_explains_the_prediction_alone_passes_over_moments_of_another_label(engine, bundle):
    decoder = Decoder(2)
    call, samples = Call(engine, bundle, decoder), music(8.6)
    found = {label: of(await answered(call, replace(WHOLE, label=label), samples), Moment) for label in LABELS}
    own = found[""]
    for label in LABELS[1:]:
        expected = [each.frame for each in own if each.trust.claim.name == label]
        assert [each.frame for each in found[label]] == expected
    assert len(found["vocal"]) + len(found["instrumental"]) == len(own)
    for moment in found["vocal"][:1] + found["instrumental"][:1]:
        label = moment.trust.claim.name
        await assert_explained(call, moment, samples, replace(WHOLE, label=label))
    decoder.close()


async def test_what_cannot_be_explained_is_refused_before_it_is_heard(tagger):
    with pytest.raises(InvalidRequest, match="the listener's labels are ballad"):
        await answered(tagger, replace(QUESTION, label="polka"), SONG)
    with pytest.raises(InvalidRequest, match="the bundle explains by gradient"):
        await answered(tagger, replace(QUESTION, rule="masker"), SONG)
    silent = replace(tagger, asked=replace(tagger.listener, is_heard=False, exchange=None))
    with pytest.raises(NotInBundle, match="ask without listen"):
        await answered(silent, replace(QUESTION, outside_db=20.0), SONG)
    with pytest.raises(NotInBundle, match="no other music"):
        await answered(silent, replace(QUESTION, trust=TrustLevel.FULL), SONG)


def test_no_more_moments_are_explained_at_once_than_a_rules_model_takes(tagger):
    (rule,), models = tagger.listener.rules, dict(tagger.bundle.models)
    assert rows_a_turn(tagger, rule, 8) == 4
    models[rule.ensemble] = copy.deepcopy(models[rule.ensemble])
    models[rule.ensemble].max_batch_size = 1
    assert rows_a_turn(replace(tagger, bundle=replace(tagger.bundle, models=models)), rule, 8) == 1

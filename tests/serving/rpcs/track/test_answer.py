"""A whole track against `Predict` and against `Explain` at the same moments."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.decision import Decision
from phonoscope_serving.rpcs.explain.answer import Question, explain
from phonoscope_serving.rpcs.explain.exchange import Evidence
from phonoscope_serving.rpcs.explain.region import Alpha, LargestAlphaThatKeepsLabel, Masking, MaximumArea
from phonoscope_serving.rpcs.predict import predict
from phonoscope_serving.rpcs.track.answer import Begun, Curve, explain_track
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.rpcs.track.question import Encoded, Moments, Pcm, TrackQuestion, TrustLevel
from phonoscope_serving.rpcs.track.summary import Summary
from phonoscope_serving.sound.audio import EncodedAudio, PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.corpora.sound import encoded, music

RATE = 70.0
SEED = 7
EDGES_S = (0.0, 0.3, 8.2, 8.55)  # moments whose excerpts go beyond the track
QUESTION = TrackQuestion(
    Pcm(22050, 1), Moments(every_s=1.7), Alpha(None), Masking.M1, TrustLevel.KEPT, control_seed=SEED
)


@pytest.fixture
def call(engine, bundle):
    decoder = Decoder(2)
    yield Call(engine, bundle, decoder)
    decoder.close()


async def chunks(content, size=30_000):
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def answered(call, question, content):
    async with aclosing(chunks(content)) as parts, aclosing(explain_track(call, question, parts)) as events:
        return [event async for event in events]


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("rule", ["masker", "inversion", "gradient"])
@pytest.mark.parametrize("trust", list(TrustLevel))
async def test_a_moment_is_explained_as_explain_explains_it(call, rule, trust):
    samples = music(8.6)
    moments = Moments(every_s=1.7, at_s=EDGES_S)
    events = await answered(call, replace(QUESTION, moments=moments, rule=rule, trust=trust), samples.tobytes())
    found = of(events, Moment)
    assert [each.frame for each in found] == [0, 21, 119, 238, 357, 476, 574, 595, 598]
    for moment in found:
        question = Question(moment.frame / RATE, rule, Alpha(None), Masking.M1, control_seed=SEED)
        own = await explain(call, PcmAudio(samples.tobytes(), 22050, 1), question)
        assert_equal(moment, own)


def assert_equal(moment, own):
    """Same region, numbers within 1e-4: a bin as relevant as alpha, but for rounding, may lie on either side."""
    np.testing.assert_allclose(moment.relevance, own.relevance, atol=1e-4)
    assert np.abs(own.relevance - own.alpha)[moment.mask != own.mask].max(initial=0) < 1e-4
    np.testing.assert_allclose(moment.log_mel, own.log_mel, atol=1e-4)
    trust, told = moment.trust, own.trust
    assert trust.probability == pytest.approx(told.probability, abs=1e-4)
    assert trust.reconstruction_error == pytest.approx(told.reconstruction_error, abs=1e-4)
    assert (trust.claim.label, trust.out_of_distribution) == (told.claim.label, told.out_of_distribution)
    if told.doubt:
        assert trust.doubt.doubt == pytest.approx(told.doubt.doubt, abs=1e-4)
    if moment.level is not TrustLevel.NONE:
        assert trust.masked_probability == pytest.approx(told.masked_probability, abs=1e-4)
    if moment.level is TrustLevel.FULL and told.exchange.carried.n:
        for trial in ("carried", "silhouette", "removed"):
            mine, theirs = getattr(trust.exchange, trial), getattr(told.exchange, trial)
            assert mine.probabilities[0] == pytest.approx(theirs.probabilities[0], abs=1e-4)


@pytest.mark.parametrize("region", [Alpha(0.5), MaximumArea(0.1), LargestAlphaThatKeepsLabel()])
@pytest.mark.parametrize("masking", list(Masking))
async def test_regions_are_chosen_as_explain_chooses_them(call, region, masking):
    samples = music(5, seed=3)
    question = replace(QUESTION, region=region, masking=masking, outside_db=20.0)
    for moment in of(await answered(call, question, samples.tobytes()), Moment):
        asked = Question(
            moment.frame / RATE,
            "",
            region,
            masking,
            listen=True,
            outside_db=20.0,
            control_seed=SEED,
            evidence=Evidence.MEAN_FILL,
        )
        own = await explain(call, PcmAudio(samples.tobytes(), 22050, 1), asked)
        assert_equal(moment, own)
        assert moment.alpha == pytest.approx(own.alpha, abs=1e-5)
        np.testing.assert_allclose(moment.audio, own.explanation_audio, atol=1e-3)


@pytest.mark.parametrize("whole", [True, False])
async def test_the_curve_is_the_one_that_predict_answers(call, whole):
    content = encoded(music(17, 44100), 44100, "FLAC")
    expected = (await predict(call, EncodedAudio(content))).probability[:, 0]
    question = replace(QUESTION, sound=Encoded(len(content) if whole else 0), spectrogram=True)
    events = await answered(call, question, content)
    assert isinstance(events[0], Begun)
    assert events[0].duration_s == (pytest.approx(17) if whole else None)
    curve = of(events, Curve)
    assert [each.first_frame for each in curve] == [0, 350, 700, 1050]
    np.testing.assert_allclose(np.concatenate([each.probability for each in curve]), expected, atol=1e-5)
    assert all(each.log_mel.shape == (len(each.probability), 80) for each in curve)
    assert isinstance(events[-1], Summary)
    assert (events[-1].complete, events[-1].frames, events[-1].heard_until) == (True, len(expected), len(expected))


async def test_a_track_that_is_taken_up_again_goes_on_as_if_it_had_been_heard(call):
    content = music(13).tobytes()
    whole, later = [await answered(call, replace(QUESTION, from_s=from_s), content) for from_s in (0.0, 6.0)]
    curve = np.concatenate([each.probability for each in of(whole, Curve)])
    np.testing.assert_allclose(np.concatenate([each.probability for each in of(later, Curve)]), curve[420:], atol=1e-5)
    expected = [each for each in of(whole, Moment) if each.frame >= 420]
    assert [each.frame for each in of(later, Moment)] == [each.frame for each in expected]


async def test_explanations_come_in_time_order_behind_their_curve_and_the_extremes_behind_all(call):
    moments = Moments(every_s=0.9, where_it_changes=True, most_certain=2, least_certain=2)
    decision = Decision(call.listener.decision.thresholds[0], 0.4, 0.5)
    events = await answered(call, replace(QUESTION, moments=moments, decision=decision), music(12).tobytes())
    frames = [each.frame for each in of(events, Moment)]
    assert frames[:-4] == sorted(frames[:-4])
    assert frames[-4:] == sorted(frames[-4:])
    heard = 0
    for event in events:
        heard += len(event.probability) if isinstance(event, Curve) else 0
        assert not isinstance(event, Moment) or event.frame < heard
    summary = events[-1]
    assert summary.explained == summary.tried == len(frames)
    assert sum(trust.explained for _, trust in summary.segments) == len(frames)
    assert summary.held == sum(bool(each.holds) for each in of(events, Moment))
    for label, (count, mean) in summary.relevance.items():
        own = [each.relevance for each in of(events, Moment) if each.trust.claim.name == label]
        assert count == len(own)
        np.testing.assert_allclose(mean, np.mean(own, axis=0), atol=1e-5)
    order = [(not each.holds, each.doubt) for each in summary.most]
    assert order == sorted(order)


async def test_digital_silence_is_passed_over(call):
    samples = np.concatenate([music(3), np.zeros(6 * 22050, np.float32), music(3)])
    frames = [each.frame for each in of(await answered(call, QUESTION, samples.tobytes()), Moment)]
    assert frames == [0, 119, 238, 595, 714, 833]  # at 5.1 and 6.8 s nothing sounds within the excerpt


async def test_a_deadline_ends_it_with_what_is_known(call):
    hour = music(5).tobytes() * 720

    async def parts():
        for at in range(0, len(hour), 1 << 16):
            yield hour[at : at + (1 << 16)]

    late = replace(call, deadline=asyncio.get_running_loop().time() + 3)
    async with aclosing(explain_track(late, replace(QUESTION, moments=Moments(every_s=0.2)), parts())) as events:
        found = [event async for event in events]
    summary = found[-1]
    assert not summary.complete
    assert 0 < summary.heard_until <= summary.frames < 3600 * RATE
    explained = [each.frame for each in of(found, Moment)]
    assert set(range(0, summary.heard_until, 14)) <= set(explained)
    assert summary.segments[-1][0].end_frame == summary.frames


async def test_no_more_is_taken_than_is_told(call):
    """Whoever reads slowly holds the work up: chunks are left with their sender."""
    asked = 0

    async def endless():
        nonlocal asked
        while True:
            asked += 1
            yield music(1).tobytes()

    async with aclosing(explain_track(call, QUESTION, endless())) as events:
        async for event in events:
            if isinstance(event, Curve):
                break
        await asyncio.sleep(0.5)
        before = asked
        await asyncio.sleep(0.5)
        assert asked == before < 40


async def test_a_rule_that_is_none_of_the_bundles_and_sound_that_is_none_are_refused(call):
    with pytest.raises(InvalidRequest, match="the bundle explains by"):
        await answered(call, replace(QUESTION, rule="guess"), music(1).tobytes())
    for sound in (Encoded(4000), Encoded(0)):
        with pytest.raises(InvalidRequest, match="not audio"):
            await answered(call, replace(QUESTION, sound=sound), b"noise" * 800)
    with pytest.raises(InvalidRequest, match="goes on behind"):
        await answered(call, replace(QUESTION, sound=Encoded(100)), b"noise" * 800)
    with pytest.raises(InvalidRequest, match="ends within a sample"):
        await answered(call, QUESTION, music(1).tobytes()[:-1])
    with pytest.raises(InvalidRequest, match="not finite"):
        await answered(call, QUESTION, np.full(22050, np.nan, np.float32).tobytes())

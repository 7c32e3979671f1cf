import dataclasses

import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest, OutOfRange
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.answer import Question, explain
from phonoscope_serving.rpcs.explain.exchange import Evidence
from phonoscope_serving.rpcs.explain.region import ALPHA_GRID, Alpha, LargestAlphaThatKeepsLabel, Masking, MaximumArea
from phonoscope_serving.sound.audio import EncodedAudio, PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.judged import judged
from support.corpora.sound import encoded
from support.corpora.sound_files import song
from support.same_numbers import RELEVANCE_ATOL, assert_same_trust

SONG = song(5, start_s=33.5)  # somebody sings
GIVEN = Alpha(0.6)
MEASURED_MAPS = ("log_mel", "relevance", "mask", "inverted", "explanation")
MEASURED = {
    "doubt": 0.2,
    "wrong": 0.1,
    "foreign": 0.1,
    "probability": 0.7,
    "masked_probability": 0.6,
    "removed_probability": 0.2,
    "control_1_probability": 0.5,
    "control_2_probability": 0.1,
    "control_3_probability": 0.9,
    "relative_area": 0.3,
    "reconstruction_error": 1.0,
}


@pytest.fixture
async def ask(engine, bundle):
    decoder = Decoder(1)

    async def ask(at_s=2.5, region=GIVEN, masking=Masking.M2, samples=SONG, rule="", **options):
        options.setdefault("evidence", Evidence.MEAN_FILL)  # here it is asked what a region is, and masked
        source = PcmAudio(samples.tobytes(), 22050, 1)
        question = Question(at_s, rule, region, masking, **options)
        return await explain(Call(engine, bundle, decoder), source, question)

    yield ask
    decoder.close()


def assert_same_region(found, expected):
    """The masks of two answers; a bin as relevant as alpha falls inside or outside by its last bit."""
    assert np.mean(found.mask != expected.mask) < 1e-3


def computed(bare, samples, **options):
    inputs = {
        "samples": samples[None],
        "alpha": np.array([[options.get("alpha", 0.6)]], np.float32),
        "maximum_area": np.array([[options.get("maximum_area", 1)]], np.float32),
        "masking": np.array([[options.get("masking", 2)]], np.int32),
        "control_seed": np.array([[options.get("control_seed", 0)]], np.int32),
    }
    return {name: tensor[0] for name, tensor in bare.run(options.get("ensemble", "explain_masker"), inputs).items()}


@pytest.mark.parametrize(("at_s", "frame"), [(2.5, 175), (2.507, 175), (2.508, 176), (1.0, 70)])
async def test_the_excerpt_is_the_one_around_the_nearest_frame(ask, bare, at_s, frame):
    answer = await ask(at_s, detailed=True)
    start = (frame - 57) * 315
    expected = computed(bare, SONG[start : start + 36934])
    assert answer.at_s == pytest.approx(frame / 70)
    assert answer.start_s == pytest.approx((frame - 57) / 70)
    for name in MEASURED_MAPS:
        np.testing.assert_allclose(getattr(answer, name), expected[name], atol=1e-5, err_msg=name)
    assert answer.trust.probability == pytest.approx(float(expected["probability"][0]), abs=1e-5)


async def test_before_the_recording_begins_there_is_silence(ask, bare):
    answer = await ask(0.0)
    padded = np.concatenate([np.zeros(57 * 315, np.float32), SONG])[:36934]
    assert answer.start_s == pytest.approx(-57 / 70)
    np.testing.assert_allclose(answer.log_mel, computed(bare, padded)["log_mel"], atol=1e-5)


async def test_the_last_moment_is_the_last_whole_frame(ask, bare):
    answer = await ask(5.0)
    last = (len(SONG) - 1024) // 315
    padded = np.concatenate([SONG[(last - 57) * 315 :], np.zeros(36934, np.float32)])[:36934]
    assert answer.at_s == pytest.approx(last / 70)
    np.testing.assert_allclose(answer.log_mel, computed(bare, padded)["log_mel"], atol=1e-5)


async def test_one_frame_of_sound_is_enough(ask):
    assert (await ask(0.0, samples=SONG[:1024])).at_s == 0
    with pytest.raises(InvalidRequest, match=r"lasts 0\.0464 s; at least one frame, 0\.0464 s"):
        await ask(0.0, samples=SONG[:1023])


async def test_a_moment_outside_the_recording_is_out_of_range(ask):
    with pytest.raises(OutOfRange, match=r"at_s: is 5\.001 s; the recording lasts 5\.000 s"):
        await ask(5.001)
    with pytest.raises(OutOfRange):
        await ask(1e300)


async def test_digital_silence_is_refused_and_quiet_sound_is_not(ask):
    silent_part = np.concatenate([SONG, np.zeros(5 * 22050, np.float32)])
    with pytest.raises(InvalidRequest, match="audio: is silent around at_s: no sample of the excerpt exceeds 1e-05"):
        await ask(8.0, samples=silent_part)
    assert (await ask(2.0, samples=silent_part)).trust.probability
    assert (await ask(2.0, samples=SONG * np.float32(1e-3))).trust.probability


@pytest.mark.parametrize("alpha", [0.0, 0.35, 0.6, 1.0])
async def test_a_given_alpha_is_used(ask, bare, alpha):
    answer = await ask(region=Alpha(alpha))
    np.testing.assert_array_equal(answer.mask, answer.relevance >= np.float32(alpha))
    assert answer.alpha == pytest.approx(alpha, abs=1e-6)


@pytest.mark.parametrize("share", [0.05, 0.25, 1.0])
async def test_a_given_area_is_kept_to(ask, share):
    answer = await ask(region=MaximumArea(share))
    assert answer.trust.relative_area <= share + 1e-6
    assert answer.mask.mean() == pytest.approx(answer.trust.relative_area, abs=1e-6)
    if share < 1:
        assert answer.trust.relative_area > share - 0.02


@pytest.mark.parametrize("masking", list(Masking))
async def test_the_largest_alpha_that_keeps_the_label_is_found_by_trying_each(ask, bare, bundle, masking):
    answer = await ask(region=LargestAlphaThatKeepsLabel(), masking=masking)
    excerpt = SONG[(175 - 57) * 315 :][:36934]
    (threshold,) = bundle.default.decision.thresholds
    untouched = computed(bare, excerpt)["probability"][0] >= threshold
    keeps = [
        alpha
        for alpha in ALPHA_GRID
        if (
            computed(bare, excerpt, alpha=alpha, masking=masking)["masked_probability"][0]
            >= bundle.default.decision.thresholds[0]
        )
        == untouched
    ]
    assert answer.alpha == pytest.approx(max(keeps), abs=1e-6)
    assert answer.trust.label_kept


@pytest.mark.parametrize("detailed", [False, True])
async def test_keeping_the_label_asks_the_rule_once_and_answers_what_its_alpha_answers(engine, bundle, ask, detailed):
    asked = []

    class Counting:
        async def infer(self, model, inputs, **options):
            asked.append(model)
            return await engine.infer(model, inputs, **options)

    decoder = Decoder(1)
    question = Question(
        2.5, "", LargestAlphaThatKeepsLabel(), Masking.M2, detailed=detailed, evidence=Evidence.MEAN_FILL
    )
    source = PcmAudio(SONG.tobytes(), 22050, 1)
    found = await explain(Call(Counting(), bundle, decoder), source, question)
    decoder.close()
    assert asked == [bundle.default.rules[0].ensemble, "masked", "evidence"]
    given = await ask(region=Alpha(found.alpha), detailed=detailed)
    for name in MEASURED_MAPS if detailed else MEASURED_MAPS[:3]:
        np.testing.assert_allclose(getattr(found, name), getattr(given, name), atol=1e-5, err_msg=name)
    assert found.trust.control_probabilities == pytest.approx(given.trust.control_probabilities, abs=1e-5)
    assert found.trust.removed_probability == pytest.approx(given.trust.removed_probability, abs=1e-5)


async def test_controls_are_drawn_anew_for_every_excerpt_and_alike_for_the_same(ask):
    first, again, later = [await ask(at_s) for at_s in (2.5, 2.5, 1.0)]
    assert first.trust.control_seed == again.trust.control_seed != later.trust.control_seed
    assert first.trust.control_probabilities == pytest.approx(again.trust.control_probabilities, abs=1e-5)
    assert len(first.trust.control_probabilities) == 3


async def test_a_seed_that_is_given_decides_the_controls_and_nothing_else(ask, bare):
    answer, other = await ask(control_seed=5), await ask(control_seed=6)
    expected = computed(bare, SONG[(175 - 57) * 315 :][:36934], control_seed=5)
    assert answer.trust.control_seed == 5
    for number, probability in enumerate(answer.trust.control_probabilities, start=1):
        assert probability == pytest.approx(float(expected[f"control_{number}_probability"][0]), abs=1e-5)
    assert answer.trust.control_probabilities != other.trust.control_probabilities
    assert_same_region(answer, other)
    assert answer.trust.removed_probability == pytest.approx(other.trust.removed_probability, abs=1e-5)


@pytest.mark.parametrize("rule", ["masker", "gradient", "inversion"])
async def test_a_rule_is_used_by_its_name_with_its_own_alpha(ask, bare, bundle, rule):
    answer = await ask(rule=rule, region=Alpha(None))
    alpha = next(each.default_alpha for each in bundle.default.rules if each.name == rule)
    expected = computed(bare, SONG[(175 - 57) * 315 :][:36934], alpha=alpha, ensemble=f"explain_{rule}")
    assert answer.rule == rule
    np.testing.assert_allclose(answer.relevance, expected["relevance"], atol=RELEVANCE_ATOL)
    assert answer.trust.relative_area == pytest.approx(float(expected["relative_area"][0]), abs=1e-3)


async def test_without_a_name_the_bundles_first_rule_explains(ask, bundle):
    assert (await ask()).rule == bundle.default.rules[0].name


async def test_a_rule_the_bundle_does_not_have_is_refused(ask):
    with pytest.raises(InvalidRequest, match="rule: is 'guess'; the bundle explains by masker, gradient, inversion"):
        await ask(rule="guess")


async def test_what_is_heard_goes_through_the_detector_again(ask, bare):
    answer = await ask(listen=True, outside_db=40.0)
    again = computed(bare, answer.explanation_audio)["probability"][0]
    assert answer.trust.heard_probability == pytest.approx(float(again), abs=1e-5)
    assert (await ask()).trust.heard_probability is None


async def test_the_two_maskings_differ(ask):
    first, second = [await ask(masking=masking, detailed=True) for masking in (Masking.M1, Masking.M2)]
    assert_same_region(first, second)
    assert np.abs(first.explanation - second.explanation).max() > 0.1
    assert not first.explanation[first.mask == 0].any()


async def test_sound_comes_only_when_asked_for(ask):
    silent, heard = await ask(), await ask(listen=True)
    assert silent.original_audio is None
    assert silent.explanation_audio is None
    np.testing.assert_array_equal(heard.original_audio, SONG[(175 - 57) * 315 :][:36934])
    assert heard.explanation_audio.shape == (36934,)
    assert np.isfinite(heard.explanation_audio).all()


async def test_keeping_everything_gives_back_the_sound(ask):
    """Inside the mel bands: what lies below and above them no region holds."""
    heard = await ask(region=Alpha(0.0), listen=True)
    taper = np.hanning(32934)
    lost, kept = (np.fft.rfft(x[2000:-2000] * taper) for x in (heard.explanation_audio, heard.original_audio))
    in_bands = slice(round(100 * 32934 / 22050), round(7900 * 32934 / 22050))
    np.testing.assert_allclose(lost[in_bands], kept[in_bands], atol=1e-3 * np.abs(kept).max())


async def test_a_file_and_its_samples_are_explained_alike(engine, bundle, ask):
    decoder = Decoder(1)
    content = EncodedAudio(encoded(SONG, 22050, "WAV", "FLOAT"))
    question = Question(2.5, "", GIVEN, Masking.M2, evidence=Evidence.MEAN_FILL)
    from_file = await explain(Call(engine, bundle, decoder), content, question)
    decoder.close()
    assert_same_trust(from_file.trust, (await ask()).trust)


def weighed(bundle, **measured):
    return judged(MEASURED | measured, bundle.default, 11)


def test_trust_weighs_what_was_measured(bundle):
    trust = weighed(bundle)
    at = bundle.default.decision.thresholds[0]
    assert trust.claim.name == ("vocal" if at <= 0.7 else "instrumental")
    assert trust.label_kept == ((at <= 0.6) == (at <= 0.7))
    assert trust.removal_flips_label == ((at <= 0.2) != (at <= 0.7))
    assert trust.control_probabilities == (0.5, 0.1, 0.9)
    assert trust.controls_that_keep_label == sum((at <= each) == (at <= 0.7) for each in (0.5, 0.1, 0.9))
    assert trust.control_seed == 11


def test_a_probability_on_the_threshold_is_vocal(bundle):
    probability = np.float32(bundle.default.decision.thresholds[0])  # as networks give it
    assert weighed(bundle, probability=probability).claim.name == "vocal"


def test_the_percentile_is_read_off_the_bundles_own_distribution(bundle):
    quantiles = bundle.default.reconstruction_error_quantiles

    def percentile(error):
        return weighed(bundle, reconstruction_error=float(error)).reconstruction_percentile

    assert percentile(quantiles[0] - 1) == 0
    assert percentile(quantiles[-1] + 1) == 1
    assert percentile((quantiles[30] + quantiles[31]) / 2) == pytest.approx(0.305, abs=1e-4)


def without_doubt(bundle):
    return dataclasses.replace(bundle, listeners=(dataclasses.replace(bundle.default, doubt_quantiles=None),))


def test_what_inverts_worse_than_99_percent_is_out_of_distribution_where_a_bundle_knows_no_doubt(bundle):
    bundle = without_doubt(bundle)
    limit = float(bundle.default.reconstruction_error_quantiles[99])
    assert not weighed(bundle, reconstruction_error=limit).out_of_distribution
    assert weighed(bundle, reconstruction_error=limit * 1.001).out_of_distribution


def test_what_there_is_more_doubt_about_than_99_percent_is_out_of_distribution(bundle):
    limit = float(bundle.default.doubt_quantiles[99])
    assert not weighed(bundle, doubt=limit).out_of_distribution
    assert weighed(bundle, doubt=limit + 1e-4).out_of_distribution

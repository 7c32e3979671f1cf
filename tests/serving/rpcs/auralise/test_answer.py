import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import BundleError, InvalidRequest, NotInBundle, OutOfRange
from phonoscope_serving.rpcs.auralise.answer import AuralisationQuestion, Resynthesis, auralise
from phonoscope_serving.rpcs.auralise.networks import audible_networks
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.repository import copied, replace, without_auralisation
from support.corpora.sound import music

SONG = music(5)
EXCERPT = SONG[(175 - 57) * 315 :][:36934]  # around 2.5 s
CLIP_SAMPLES = {"tagger": 44100, "detector": 36934}
SHAPES = {"tagger": (173, 257), "detector": (115, 80)}


@pytest.fixture
async def ask(engine, bundle):
    decoder = Decoder(1)

    async def ask(layer="conv4", features=(), network="tagger", samples=SONG, of=bundle, **others):
        asked = {
            "at_s": 2.5,
            "strongest": 0,
            "largest_activation_only": False,
            "resynthesis": Resynthesis.PHASE,
            "listen": False,
        } | others
        question = AuralisationQuestion(network=network, layer=layer, features=tuple(features), **asked)
        source = PcmAudio(samples.tobytes(), 22050, 1)
        return await auralise(Call(engine, of, decoder), audible_networks(of), source, question)

    yield ask
    decoder.close()


@pytest.mark.parametrize("network", ["tagger", "detector"])
async def test_features_come_in_the_order_asked_for_with_pictures_as_large_as_the_clip(ask, network):
    answer = await ask("conv4", [7, 1, 38], network, listen=True)
    assert [feature.feature for feature in answer.features] == [7, 1, 38]
    assert {feature.heard.shape for feature in answer.features} == {answer.given.shape} == {SHAPES[network]}
    assert {feature.audio.shape for feature in answer.features} == {(CLIP_SAMPLES[network],)}
    assert sum(answer.probability) == pytest.approx(1, abs=1e-5) or network == "detector"


async def test_the_strongest_are_asked_for_without_naming_any(ask):
    answer = await ask("conv3", strongest=64)
    strengths = [feature.strength for feature in answer.features]
    assert strengths == sorted(strengths, reverse=True)
    assert sorted(feature.feature for feature in answer.features) == list(range(64))
    best = await ask("conv3")
    assert [feature.feature for feature in best.features] == [feature.feature for feature in answer.features[:8]]


async def test_a_feature_is_what_it_is_among_others_and_no_more_than_a_layer_has(ask):
    together = await ask("conv2", strongest=64, network="detector")
    assert len(together.features) == 32
    (alone,) = (await ask("conv2", [together.features[5].feature], "detector")).features
    np.testing.assert_allclose(alone.heard, together.features[5].heard, atol=1e-5)


async def test_the_detector_is_given_the_excerpt_that_is_explained(ask, bare):
    answer = await ask("conv1", [3], "detector")
    expected = bare.run("frontend", {"samples": EXCERPT[None]})["standardised"]
    np.testing.assert_allclose(answer.given, expected[0], atol=1e-4)
    probability = bare.run("detector", {"excerpt": expected}, ["probability"])["probability"]
    assert answer.probability == pytest.approx(tuple(probability[0]), abs=1e-4)


async def test_the_taggers_clip_lies_around_the_moment_with_silence_beyond_the_recording(ask):
    answer = await ask("conv1", [3], at_s=0.0, listen=True)
    middle_s = answer.excerpt.start_s + 86 * 256 / 11025
    assert (middle_s, answer.excerpt.at_s) == (pytest.approx(0), 0)
    assert not answer.excerpt.samples[0, :20000].any()
    assert answer.excerpt.samples[0, 22500:].any()


async def test_one_activation_is_heard_in_one_place(ask):
    for network in SHAPES:
        whole, one = [(await ask("conv2", [5], network, largest_activation_only=only)).features[0] for only in (0, 1)]
        assert whole.strength == pytest.approx(one.strength, rel=1e-5)
        assert 0 < np.count_nonzero(one.heard) <= 15 * 15
        assert np.count_nonzero(whole.heard) > 10 * np.count_nonzero(one.heard)


async def test_the_recording_lends_its_phase_or_its_spectrum(ask):
    phase, spectrum = [(await ask("conv2", strongest=1, resynthesis=each, listen=True)) for each in Resynthesis]
    np.testing.assert_allclose(phase.features[0].heard, spectrum.features[0].heard, atol=1e-5)
    assert not np.allclose(phase.features[0].audio, spectrum.features[0].audio, atol=1e-3)
    loudest = np.abs(spectrum.excerpt.samples).max()
    assert np.abs(spectrum.features[0].audio).max() <= 3 * loudest  # gains of at most 1


@pytest.mark.parametrize(
    ("layer", "features", "violations"),
    [
        ("conv6", [], {"layer": "is 'conv6'; those of the tagger are conv1, conv2, conv3, conv4, conv5"}),
        ("x" * 10_000, [], {"layer": f"is '{'x' * 40}'; those"}),
        ("conv1", [0, 64, 2**31], {"features[1]": "is 64; conv1 has features 0 to 63", "features[2]": "is 2147483648"}),
    ],
    ids=["unknown", "a long name", "features beyond the last"],
)
async def test_what_the_network_does_not_have_is_refused_by_field(ask, layer, features, violations):
    with pytest.raises(InvalidRequest) as caught:
        await ask(layer, features)
    assert [violation.field for violation in caught.value.violations] == list(violations)
    for violation in caught.value.violations:
        assert violation.description.startswith(violations[violation.field])


async def test_a_bundle_without_a_tagger_says_so(ask, tmp_path):
    bundle = load_bundle(without_auralisation(tmp_path))
    assert audible_networks(bundle) == {}
    with pytest.raises(NotInBundle, match="holds nothing that makes features of the tagger heard"):
        await ask(of=bundle)


def test_a_bundle_that_miscounts_its_features_is_refused(tmp_path):
    root = copied(tmp_path)
    replace(root, "deconvnet_tagger/config.pbtxt", "64,64,64,64,64", "64,64,64,64")
    with pytest.raises(BundleError, match=r"deconvnet_tagger/config\.pbtxt: parameter features"):
        audible_networks(load_bundle(root))


async def test_moments_and_silence_are_refused_as_for_explanations(ask):
    with pytest.raises(OutOfRange, match=r"at_s: is 5\.001 s; the recording lasts 5\.000 s"):
        await ask(at_s=5.001)
    with pytest.raises(InvalidRequest, match="audio: is silent around at_s"):
        await ask(samples=0 * SONG)

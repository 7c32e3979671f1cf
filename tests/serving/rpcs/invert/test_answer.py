import numpy as np
import onnxruntime as ort
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import InvalidRequest, NotInBundle, OutOfRange
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.invert.answer import InversionQuestion, invert_layers
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.repository import REPOSITORY, without_inverters
from support.corpora.sound import music

SONG = music(5)
EXCERPT = SONG[(175 - 57) * 315 :][:36934]  # around 2.5 s
LAYERS = ("conv1", "conv2", "mp3", "conv4", "conv5", "mp6", "fc7", "fc8")


@pytest.fixture
async def ask(engine, bundle):
    decoder = Decoder(1)

    async def ask(layers=(), at_s=2.5, listen=False, samples=SONG, of=bundle):
        question = InversionQuestion(at_s, tuple(layers), listen)
        source = PcmAudio(samples.tobytes(), 22050, 1)
        return await invert_layers(Call(engine, of, decoder), source, question)

    yield ask
    decoder.close()


def by_hand(model, output, **inputs):
    """One output of one graph, run by ONNX Runtime alone."""
    session = ort.InferenceSession(f"{REPOSITORY}/{model}/1/model.onnx", providers=["CPUExecutionProvider"])
    return session.run([output], inputs)[0]


async def test_every_layer_is_inverted_first_to_last_where_none_is_named(ask):
    answer = await ask()
    assert tuple(inversion.layer for inversion in answer.layers) == LAYERS
    assert {inversion.inverted.shape for inversion in answer.layers} == {(115, 80)}
    assert answer.log_mel.shape == answer.standardised.shape == (115, 80)


async def test_layers_come_in_the_order_asked_for_and_are_what_they_are_among_all(ask):
    everything = {inversion.layer: inversion for inversion in (await ask()).layers}
    some = (await ask(["fc8", "conv5"])).layers
    assert [inversion.layer for inversion in some] == ["fc8", "conv5"]
    for inversion in some:
        np.testing.assert_allclose(inversion.inverted, everything[inversion.layer].inverted, atol=1e-5)


@pytest.mark.parametrize("layer", LAYERS)
async def test_an_inversion_is_made_of_the_layers_activation_alone(ask, layer):
    standardised = by_hand("frontend", "standardised", samples=EXCERPT[None])
    activation = by_hand("detector", layer, excerpt=standardised)
    expected = by_hand(f"inverter_{layer}", "inverted", activation=activation, excerpt=0 * standardised)
    answer = await ask([layer])
    np.testing.assert_allclose(answer.standardised, standardised[0], atol=1e-5)
    np.testing.assert_allclose(answer.layers[0].inverted, expected[0], atol=1e-4)


async def test_the_error_is_the_euclidean_distance_in_one_unit_for_every_layer_and_excerpt(ask):
    units = []
    for at_s in (1.0, 2.5, 4.0):
        answer = await ask(at_s=at_s)
        for inversion in answer.layers:
            distance = np.linalg.norm((inversion.inverted - answer.standardised).astype(np.float64))
            units.append(distance / inversion.reconstruction_error)
    assert units == pytest.approx([units[0]] * len(units), rel=1e-4)


async def test_an_error_is_ranked_among_the_validation_excerpts_of_its_own_layer(ask, bundle):
    for inversion in (await ask()).layers:
        quantiles = bundle.default.inversion_error_quantiles[inversion.layer]
        lower = (quantiles < inversion.reconstruction_error).mean()
        assert inversion.reconstruction_percentile == pytest.approx(lower, abs=0.02)
        assert inversion.out_of_distribution == (inversion.reconstruction_error > quantiles[99])


async def test_sound_comes_only_when_asked_for_and_follows_each_picture(ask):
    silent, heard = await ask(["conv1"]), await ask(["fc8", "conv1"], listen=True)
    assert silent.log_mel_audio is silent.layers[0].audio is None
    pictures = [heard.standardised, *(inversion.inverted for inversion in heard.layers)]
    sounds = [heard.log_mel_audio, *(inversion.audio for inversion in heard.layers)]
    for picture, sound in zip(pictures, sounds, strict=True):
        expected = by_hand("sonify", "audio", samples=EXCERPT[None], standardised=picture[None])[0]
        np.testing.assert_allclose(sound, expected, atol=1e-4 * np.abs(expected).max())


async def test_the_log_mels_own_sound_is_close_to_the_excerpt(ask):
    """What 80 bands keep with the original phase; the mel scale ends at 8 kHz and blurs harmonics above 2 kHz."""
    answer = await ask(["fc8"], listen=True)
    inside = slice(2000, -2000)  # frames overlap fully
    assert np.corrcoef(answer.log_mel_audio[inside], EXCERPT[inside])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("layers", "violations"),
    [
        (["fc9"], {"layers[0]": "is 'fc9'; the bundle inverts conv1, conv2, mp3, conv4, conv5, mp6, fc7, fc8"}),
        (["fc8", "FC8", ""], {"layers[1]": "is 'FC8'; the bundle", "layers[2]": "is ''; the bundle"}),
        (["fc8", "conv1", "fc8"], {"layers[2]": "is 'fc8' once more; each may be named once"}),
        (["x" * 10_000], {"layers[0]": f"is '{'x' * 40}'; the bundle"}),
        (["fc8"] * 100_000, {"layers": "names 100000 layers; the bundle inverts conv1"}),
    ],
    ids=["unknown", "upper case and empty", "twice", "a long name", "many names"],
)
async def test_names_of_no_layer_are_refused_one_by_one(ask, layers, violations):
    with pytest.raises(InvalidRequest) as caught:
        await ask(layers)
    assert [violation.field for violation in caught.value.violations] == list(violations)
    for violation in caught.value.violations:
        assert violation.description.startswith(violations[violation.field])


async def test_a_bundle_without_inverters_says_so(ask, tmp_path):
    bundle = load_bundle(without_inverters(tmp_path))
    assert bundle.default.inversion_error_quantiles == {}
    with pytest.raises(NotInBundle, match=f"the bundle {bundle.name} has no networks that invert layers"):
        await ask(["fc8"], of=bundle)


async def test_moments_and_silence_are_refused_as_for_explanations(ask):
    with pytest.raises(OutOfRange, match=r"at_s: is 5\.001 s; the recording lasts 5\.000 s"):
        await ask(at_s=5.001)
    with pytest.raises(InvalidRequest, match="audio: is silent around at_s"):
        await ask(samples=0 * SONG)

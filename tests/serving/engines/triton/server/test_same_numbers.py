"""One repository, two engines, the same numbers."""

import pytest
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.answer import Question, explain
from phonoscope_serving.rpcs.explain.region import Alpha, LargestAlphaThatKeepsLabel, Masking
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.bundles.golden_vectors import assert_golden, golden_inputs
from support.corpora.sound import music
from support.same_numbers import assert_same_numbers, assert_same_trust
from support.triton.inputs import MODELS, UNBATCHED, inputs_of

pytestmark = pytest.mark.triton


def test_no_model_of_the_repository_is_left_out(bundle):
    assert set(MODELS) == bundle.models.keys()


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("model", MODELS)
async def test_both_engines_give_the_same_numbers(engine, embedded, bundle, model, rows):
    inputs = inputs_of(model, 1 if model in UNBATCHED else rows, embedded.run)
    expected, found = embedded.run(model, inputs), await engine.infer(model, inputs)
    assert list(found) == [output.name for output in bundle.models[model].output]
    assert_same_numbers(found, expected)


@pytest.mark.parametrize(
    ("ensemble", "outputs"),
    [
        ("invert_layers", ["inverted_fc8"]),
        ("invert_layers", ["reconstruction_error_conv5", "log_mel"]),
        ("invert_layers", ["standardised"]),
        ("invert_layers", ["log_mel"]),
        ("explain_inversion", ["probability"]),
        ("explain_gradient", ["mask", "relative_area"]),
        ("explain_masker", ["mask", "control_regions"]),
        ("heard", ["audio"]),
        ("auralise", ["magnitude", "class_probability", "heard", "chosen", "strength"]),
        ("auralise_detector", ["audio"]),
    ],
    ids=str,
)
async def test_both_engines_give_the_same_numbers_where_only_some_are_wanted(engine, embedded, ensemble, outputs):
    inputs = inputs_of(ensemble, 2, embedded.run)
    found = await engine.infer(ensemble, inputs, outputs=outputs)
    assert found.keys() == set(outputs)
    assert_same_numbers(found, embedded.run(ensemble, inputs, outputs))


@pytest.mark.parametrize(
    "ensemble",
    ["explain_masker", "explain_gradient", "explain_inversion", "heard", "predict", "invert_layers", "auralise"],
)
async def test_both_engines_give_the_golden_vectors(engine, embedded, bundle, ensemble):
    inputs = golden_inputs(bundle, ensemble)
    expected, answer = embedded.run(ensemble, inputs), await engine.infer(ensemble, inputs)
    assert_same_numbers(answer, expected)
    assert_golden(bundle, ensemble, answer)


class Embedded:
    """The embedded engine without its queues, as an `Engine` is asked."""

    def __init__(self, bare):
        self._bare = bare

    async def infer(self, model, inputs, *, outputs=None, deadline=None, continues=False, work=None):
        return self._bare.run(model, inputs, outputs)


@pytest.mark.parametrize("region", [Alpha(0.4), Alpha(1.0), LargestAlphaThatKeepsLabel()], ids=str)
async def test_both_engines_hear_the_same_evidence(engine, embedded, bundle, region):
    source, question = PcmAudio(music(5).tobytes(), 22050, 1), Question(2.5, "", region, Masking.M1, listen=True)
    decoder = Decoder(1)
    found, expected = [
        await explain(Call(each, bundle, decoder), source, question) for each in (engine, Embedded(embedded))
    ]
    decoder.close()
    assert_same_trust(found.trust, expected.trust)
    assert found.explanation_audio.shape == expected.explanation_audio.shape

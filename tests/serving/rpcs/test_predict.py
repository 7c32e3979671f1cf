import numpy as np
import pytest
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.answer import Question, explain
from phonoscope_serving.rpcs.explain.region import Alpha, Masking
from phonoscope_serving.rpcs.predict import pieces, predict
from phonoscope_serving.sound.audio import EncodedAudio, PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from support.corpora.sound import encoded, music


def in_one_call(bare, samples):
    silence = np.full((1, 1), 57, np.int32)
    return bare.run("predict", {"samples": samples[None], "silence_before": silence, "silence_after": silence})[
        "probability"
    ][0]


def in_pieces(bare, bundle, samples, piece_s):
    curve = []
    for piece in pieces(bundle.default.front_end.frames(len(samples)), bundle.default.front_end, piece_s):
        inputs = {
            "samples": samples[None, piece.first_sample : piece.first_sample + piece.samples],
            "silence_before": np.array([[piece.silence_before]], np.int32),
            "silence_after": np.array([[piece.silence_after]], np.int32),
        }
        curve.append(bare.run("predict", inputs)["probability"][0])
    return np.concatenate(curve)


@pytest.mark.parametrize("piece_s", [0.3, 1.0, 2.4, 60.0])
@pytest.mark.parametrize("seconds", [0.05, 0.5, 1.7, 6.0])
def test_pieces_together_equal_one_call(bare, bundle, seconds, piece_s):
    samples = music(seconds)
    expected = in_one_call(bare, samples)
    assert len(expected) == 1 + (len(samples) - 1024) // 315
    np.testing.assert_allclose(in_pieces(bare, bundle, samples, piece_s), expected, atol=1e-5)


def test_every_piece_has_as_many_neighbours_as_the_detector_looks_at(bundle):
    cut = pieces(10_000, bundle.default.front_end, piece_s=60)
    assert len(cut) == 3
    assert [(p.silence_before, p.silence_after) for p in cut] == [(57, 0), (0, 0), (0, 57)]
    answered = [bundle.default.front_end.frames(p.samples) + p.silence_before + p.silence_after - 114 for p in cut]
    assert answered == [4200, 4200, 1600]


def test_a_recording_shorter_than_the_detectors_view_is_silent_on_both_sides(bundle):
    (only,) = pieces(10, bundle.default.front_end)
    assert (only.silence_before, only.silence_after) == (57, 57)


async def test_the_curve_has_the_probability_that_explaining_each_moment_gives(engine, bundle):
    decoder, samples = Decoder(1), music(5)
    call, source = Call(engine, bundle, decoder), PcmAudio(samples.tobytes(), 22050, 1)
    curve = (await predict(call, source)).probability[:, 0]
    for frame in (60, 111, 175, 280):
        question = Question(frame / 70, "", Alpha(0.6), Masking.M2)
        answer = await explain(call, source, question)
        assert answer.trust.probability == pytest.approx(curve[frame], abs=1e-5)
    decoder.close()


async def test_a_recording_of_several_pieces_is_heard_as_a_whole(engine, bare, bundle):
    samples, decoder = music(22), Decoder(1)
    curve = await predict(Call(engine, bundle, decoder), PcmAudio(samples.tobytes(), 22050, 1))
    np.testing.assert_allclose(curve.probability[:, 0], in_one_call(bare, samples), atol=1e-5)
    decoder.close()


@pytest.mark.parametrize(("rate_hz", "container"), [(44100, "FLAC"), (48000, "OGG"), (16000, "WAV")])
async def test_files_at_other_rates_have_a_curve_of_the_same_length(engine, bundle, rate_hz, container):
    decoder = Decoder(1)
    content = EncodedAudio(encoded(music(3, rate_hz), rate_hz, container))
    curve = (await predict(Call(engine, bundle, decoder), content)).probability[:, 0]
    decoder.close()
    assert len(curve) == 1 + (3 * 22050 - 1024) // 315
    assert ((curve >= 0) & (curve <= 1)).all()

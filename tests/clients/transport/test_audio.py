"""Sound on its way to the service."""

import io

import numpy as np
import pytest
import soundfile
from phonoscope_client import InvalidInputError, OutOfRangeError
from phonoscope_client.results.parts import wav
from phonoscope_client.transport.audio import MAX_BYTES, around, whole

LONG_S = 1203  # just over what a service accepts, at the lowest rate it accepts
RATE_HZ = 4000


@pytest.fixture(scope="session")
def long_samples():
    noise = np.random.default_rng(1).integers(-(2**15), 2**15, size=(LONG_S * RATE_HZ + 137, 2))
    return (noise / 2**15).astype(np.float32)  # exact in 16 bits


@pytest.fixture(scope="session")
def long_file(long_samples, tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.wav"
    soundfile.write(path, long_samples, RATE_HZ, subtype="PCM_16")
    return path


def sent_samples(message):
    """`[N, C]` samples of a message; a cut of a file is a file itself."""
    if message.encoded:
        return soundfile.read(io.BytesIO(message.encoded), dtype="float32", always_2d=True)[0]
    return np.frombuffer(message.pcm.samples, "<f4").reshape(-1, max(1, message.pcm.channels))


@pytest.fixture
def song():
    return wav(np.sin(np.arange(8000, dtype=np.float32) / 9), 8000)


def test_a_file_is_sent_byte_for_byte(song, tmp_path):
    (tmp_path / "song.wav").write_bytes(song)
    for given in (song, tmp_path / "song.wav", str(tmp_path / "song.wav")):
        assert whole(given).encoded == song


def test_what_cannot_be_decoded_here_is_still_sent_for_the_service_to_judge():
    assert whole(b"not audio at all").encoded == b"not audio at all"
    assert around(b"not audio at all", 3.0).message.encoded == b"not audio at all"


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_samples_are_sent_as_little_endian_float32_whatever_they_were(dtype):
    samples = np.linspace(-1, 1, 9).astype(dtype)
    message = whole((samples, 16000))
    assert (message.pcm.sample_rate_hz, message.pcm.channels) == (16000, 1)
    np.testing.assert_array_equal(sent_samples(message)[:, 0], samples.astype(np.float32))


def test_channels_are_interleaved_even_from_a_transposed_array():
    left_and_right = np.arange(10, dtype=np.float32).reshape(2, 5)
    message = whole((left_and_right.T, 16000))
    assert message.pcm.channels == 2
    np.testing.assert_array_equal(sent_samples(message), left_and_right.T)


@pytest.mark.parametrize(
    ("samples", "rate", "field", "says"),
    [
        (np.zeros(9, np.int16), 8000, "samples", "int16 values; give floating point"),
        (np.zeros((2, 8000), np.float32), 8000, "samples", r"shape \(2, 8000\).* 1 to 32 channels"),
        (np.zeros((2, 3, 4), np.float32), 8000, "samples", r"shape \(2, 3, 4\)"),
        (np.zeros((9, 0), np.float32), 8000, "samples", r"shape \(9, 0\)"),
        (np.zeros(9, np.float32), 0, "sample_rate_hz", "positive"),
        (np.zeros(9, np.float32), -5, "sample_rate_hz", "positive"),
    ],
)
def test_samples_that_cannot_be_meant_are_refused_by_field(samples, rate, field, says):
    with pytest.raises(InvalidInputError, match=says) as caught:
        whole((samples, rate))
    assert caught.value.violations[0].field == field


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"audio: there is no file .*nowhere\.mp3"):
        whole(tmp_path / "nowhere.mp3")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InvalidInputError, match="audio: the file is empty"):
        whole(tmp_path / "empty.wav")
    with pytest.raises(InvalidInputError, match="audio: the file is empty"):
        whole(b"")


def test_a_recording_within_the_limits_is_never_cut(song):
    section = around(song, 0.5)
    assert section.start_s == 0
    assert section.message.encoded == song


def test_a_recording_too_long_to_predict_is_refused_with_its_length_and_the_limit(long_file):
    with pytest.raises(InvalidInputError, match=r"audio: 1203 s, of which a service accepts 1200"):
        whole(long_file)


def test_samples_too_large_to_predict_are_refused_with_their_size_and_the_limit():
    with pytest.raises(InvalidInputError, match=r"audio: 65 MiB, of which a service accepts 64"):
        whole((np.zeros(65 * 2**18, np.float32), 44100))


@pytest.mark.parametrize("at_s", [0.0, 3.2, 10.0, 600.49, 1199.999, 1203.0])
def test_a_cut_holds_exactly_the_samples_around_the_moment(long_file, long_samples, at_s):
    section = around(long_file, at_s)
    cut = sent_samples(section.message)
    start = section.start_s * RATE_HZ
    np.testing.assert_array_equal(cut, long_samples[start : start + len(cut)])
    assert section.missing_s is None
    assert section.start_s == max(0, int(at_s) - 10)
    reach = min(at_s + 10, len(long_samples) / RATE_HZ)
    assert (start + len(cut)) / RATE_HZ >= reach


def test_a_cut_is_the_same_from_a_path_from_bytes_and_from_samples(long_file, long_samples):
    from_path = around(long_file, 700.3)
    assert around(long_file.read_bytes(), 700.3) == from_path
    from_samples = around((long_samples, RATE_HZ), 700.3)
    assert from_samples.start_s == from_path.start_s
    np.testing.assert_array_equal(sent_samples(from_samples.message), sent_samples(from_path.message))


@pytest.mark.parametrize("file_format", ["FLAC", "OGG", "MP3"])
def test_a_cut_of_a_compressed_file_is_what_decoding_all_of_it_gives_there(long_samples, file_format):
    file = io.BytesIO()
    rate_hz = 8000  # the lowest that libsndfile writes as MP3
    with soundfile.SoundFile(file, "w", rate_hz, channels=1, format=file_format) as encoder:
        for second in range(1201):  # libsndfile's Vorbis encoder overflows its stack if given all at once
            encoder.write(0.2 * long_samples[second * RATE_HZ :][:rate_hz, 0])
    decoded, _ = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32", always_2d=True)
    section = around(file.getvalue(), 433.7)
    cut = sent_samples(section.message)
    start = section.start_s * rate_hz
    np.testing.assert_allclose(cut, decoded[start : start + len(cut)], atol=1e-4)


def test_a_cut_fits_into_a_message_at_the_highest_rate_and_channel_count():
    many = np.zeros((384_000, 32), np.float32)
    many = np.concatenate([many, many])  # 2 s, 94 MiB
    assert around((many, 384_000), 1.0).message.ByteSize() < MAX_BYTES


@pytest.mark.parametrize("at_s", [-0.1, 1204.0, float("nan")])
def test_a_moment_outside_a_recording_too_long_to_send_is_named_with_its_length(long_file, at_s):
    with pytest.raises(OutOfRangeError, match=r"at_s: .* lies outside the recording, which lasts 1203\.03 s"):
        around(long_file, at_s)


def test_a_wav_file_holds_the_samples_to_a_step_of_16_bits():
    samples = np.linspace(-0.9, 0.9, 1001, dtype=np.float32)
    decoded, rate_hz = soundfile.read(io.BytesIO(wav(samples, 22050)), dtype="float32")
    assert rate_hz == 22050
    assert soundfile.info(io.BytesIO(wav(samples, 22050))).subtype == "PCM_16"
    np.testing.assert_allclose(decoded, samples, atol=1 / 2**15)


def test_a_wav_file_clips_rather_than_wraps_and_heeds_the_gain():
    loud = np.array([-2, 2], np.float32)
    clipped, _ = soundfile.read(io.BytesIO(wav(loud, 8000)))
    np.testing.assert_allclose(clipped, [-1, 1], atol=1e-4)
    turned_down, _ = soundfile.read(io.BytesIO(wav(loud, 8000, gain=0.25)))
    np.testing.assert_allclose(turned_down, [-0.5, 0.5], atol=1e-4)

"""Files that are cut here because they are too long to be sent: the cut is what the service hears of the whole."""

import io

import numpy as np
import pytest
import soundfile
from phonoscope_client import InvalidInputError
from phonoscope_client.transport import decoding
from phonoscope_client.transport.audio import MAX_BYTES, around, whole
from phonoscope_client.transport.samples import wave
from support.corpora.sound import encoded
from support.corpora.sound_files import coded, delay, opened, pages, song, tag, wav

RATE_HZ = 22050
SECONDS = 12
EXACT = {
    "WAV": lambda: wav(song(SECONDS)),
    "WAV whose header says no length": lambda: wav(song(SECONDS))[:40] + bytes(4) + wav(song(SECONDS))[44:],
    "MP3": lambda: coded(song(SECONDS), RATE_HZ, "mp3", "libmp3lame"),
    "MP3 without table": lambda: coded(song(SECONDS), RATE_HZ, "mp3", "libmp3lame", write_xing="0"),
    "MP3 with a large tag": lambda: tag(3 << 20) + coded(song(SECONDS), RATE_HZ, "mp3", "libmp3lame"),
    "Vorbis": lambda: encoded(song(SECONDS), RATE_HZ, "OGG", "VORBIS"),
    "Opus": lambda: coded(song(SECONDS), 48000, "ogg", "libopus"),
    "FLAC": lambda: encoded(song(SECONDS), RATE_HZ, "FLAC"),
    "ALAC": lambda: coded(song(SECONDS), RATE_HZ, "ipod", "alac"),
    "AIFF": lambda: encoded(song(SECONDS), RATE_HZ, "AIFF", "PCM_16"),
    "CAF": lambda: encoded(song(SECONDS), RATE_HZ, "CAF", "PCM_24"),
    "W64": lambda: encoded(song(SECONDS), RATE_HZ, "W64", "PCM_24"),
    "ADPCM in WAV": lambda: encoded(song(SECONDS), RATE_HZ, "WAV", "IMA_ADPCM"),
}
# Decoders of AAC make up noise as they go; Matroska rounds time stamps to a millisecond.
NEARLY = {
    "AAC": lambda: coded(song(SECONDS), RATE_HZ, "adts", "aac"),
    "M4A": lambda: coded(song(SECONDS), RATE_HZ, "ipod", "aac"),
    "Opus in WebM": lambda: coded(song(SECONDS), 48000, "webm", "libopus"),
    "samples in Matroska": lambda: coded(song(SECONDS), 48000, "matroska", "pcm_s16le"),
}


def in_file(content, folder):
    path = folder / "file"
    path.write_bytes(content)
    return path


def heard_by_the_service(content, start, stop):
    return np.concatenate(list(opened(content).blocks(start, stop)))


def cuts(content):
    """Places of cuts a second long all over a file, in samples."""
    length = decoding.measure(content)
    second = length.sample_rate_hz
    return [(start, start + second) for start in (0, second // 3, 3 * second + 1, length.samples - 2 * second)]


@pytest.mark.parametrize("name", EXACT)
def test_a_cut_is_to_the_sample_what_the_service_hears_of_the_whole(name, tmp_path):
    content = EXACT[name]()
    path = in_file(content, tmp_path)
    for start, stop in cuts(content):
        cut = decoding.cut(path, start, stop)
        np.testing.assert_allclose(cut.samples[:, 0], heard_by_the_service(content, start, stop), atol=1e-4)
        assert cut.missing is None


@pytest.mark.parametrize("name", NEARLY)
def test_a_cut_is_at_its_place_where_decoders_or_containers_allow_no_more(name):
    content = NEARLY[name]()
    for start, stop in cuts(content):
        cut = decoding.cut(content, start, stop)
        lag, alike = delay(cut.samples[:, 0], heard_by_the_service(content, start, stop))
        assert abs(lag) <= 0.0015 * (stop - start)
        assert alike >= 0.98
        assert cut.missing is None


@pytest.mark.parametrize("believed_s", [0.0, 1200.0], ids=["counted", "believed"])
@pytest.mark.parametrize("name", [*EXACT, *NEARLY])
def test_a_file_is_as_long_as_the_service_says(name, believed_s):
    content = {**EXACT, **NEARLY}[name]()
    length, recording = decoding.measure(content, believed_s=believed_s), opened(content)
    assert length.sample_rate_hz == recording.sample_rate_hz
    assert length.samples / length.sample_rate_hz == pytest.approx(
        recording.samples / recording.sample_rate_hz, abs=0.05
    )


SIX = np.stack([song(SECONDS) * gain for gain in (0.1, 0.2, 0.6, 0.5, 0.1, 0.2)])


@pytest.mark.parametrize(
    ("content", "atol"),
    [
        (coded(SIX, 48000, "ogg", "libopus", "5.1"), 1e-4),
        (coded(SIX, 48000, "ipod", "aac", "5.1"), 0.05),
        (encoded(SIX.T, 48000, "FLAC"), 1e-4),
    ],
    ids=["Opus", "AAC", "FLAC"],
)
def test_a_cut_of_many_speakers_is_mixed_as_the_whole_is(content, atol):
    start, stop = 48000, 96000
    cut = decoding.cut(content, start, stop)
    assert cut.samples.shape == (48000, 6)
    sent = wave(cut.samples, 48000, cut.speaker_mask)
    np.testing.assert_allclose(
        heard_by_the_service(sent, 0, 48000), heard_by_the_service(content, start, stop), atol=atol
    )


def test_what_two_channels_cancel_is_in_the_cut():
    voice = song(SECONDS)
    cut = decoding.cut(coded(np.stack([voice, -voice]), RATE_HZ, "mp3", "libmp3lame", "stereo"), RATE_HZ, 3 * RATE_HZ)
    assert np.corrcoef(cut.samples[:, 0], -cut.samples[:, 1])[0, 1] > 0.99


def test_a_lost_page_is_silent_and_told_and_what_follows_stays_in_its_place():
    every = pages(coded(song(SECONDS), 48000, "ogg", "libopus"))
    lost = b"".join(every[:4] + every[5:])
    length = decoding.measure(lost)
    cut = decoding.cut(lost, 0, length.samples)
    first, end = cut.missing
    assert end - first > 0.5 * length.sample_rate_hz
    assert not cut.samples[first:end].any()
    np.testing.assert_allclose(cut.samples[:, 0], heard_by_the_service(lost, 0, length.samples), atol=1e-3)


def test_damage_is_silent_and_told():
    content = bytearray(encoded(song(SECONDS), RATE_HZ, "FLAC"))
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    length = decoding.measure(bytes(content))
    first, end = decoding.cut(bytes(content), 0, length.samples).missing
    assert 0.02 * RATE_HZ < end - first < 4 * RATE_HZ


@pytest.mark.parametrize(
    "join",
    [
        lambda: coded(song(SECONDS), 48000, "ogg", "libopus"),
        lambda: encoded(song(SECONDS), RATE_HZ, "OGG", "VORBIS"),
        lambda: coded(song(SECONDS), RATE_HZ, "mp3", "libmp3lame", id3v2_version="0"),
    ],
    ids=["Opus", "Vorbis", "MP3"],
)
def test_recordings_that_are_joined_are_measured_and_cut_behind_the_join(join):
    """Padding and table of MP3 at the join, up to a tenth of a second, stay; the service leaves them out."""
    one = join()
    length = decoding.measure(one + one)
    assert length.samples == pytest.approx(2 * decoding.measure(one).samples, abs=0.1 * length.sample_rate_hz)
    start, stop = length.samples - 3 * length.sample_rate_hz, length.samples - 2 * length.sample_rate_hz
    lag, alike = delay(decoding.cut(one + one, start, stop).samples[:, 0], heard_by_the_service(one + one, start, stop))
    assert abs(lag) <= 0.1 * length.sample_rate_hz
    assert alike >= 0.98


@pytest.mark.parametrize(
    "content",
    [
        b"not sound",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    ],
    ids=["text", "concat", "HLS"],
)
def test_what_is_no_sound_is_not_measured_and_sent_for_the_service_to_judge(content):
    assert decoding.measure(content * 20) is None
    assert whole(content * 20).encoded == content * 20


def test_what_is_no_sound_and_too_large_to_send_is_refused():
    with pytest.raises(InvalidInputError, match="65 MiB, of which a service accepts 64, and it is of no kind that can"):
        around(bytes(65 * 2**20), 3.0)


def test_a_file_too_large_to_send_is_cut_with_its_channels_apart(tmp_path):
    path = tmp_path / "large.wav"
    stereo = np.tile(np.stack([song(SECONDS), -song(SECONDS)], axis=1), (32, 1))
    soundfile.write(path, stereo, RATE_HZ, subtype="FLOAT")
    assert path.stat().st_size > MAX_BYTES
    section = around(path, 100.2)
    samples, rate_hz = soundfile.read(io.BytesIO(section.message.encoded), dtype="float32")
    assert (rate_hz, section.start_s) == (RATE_HZ, 90)
    np.testing.assert_array_equal(samples, stereo[90 * RATE_HZ :][: len(samples)])
    assert len(samples) == 21 * RATE_HZ

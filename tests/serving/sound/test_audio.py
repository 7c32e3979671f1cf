import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import LIMITS, EncodedAudio, PcmAudio, is_within
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.resampling import samples_at, section, sections, whole
from phonoscope_serving.sound.warning import WarningKind
from support.corpora.sound import encoded, music

RATE_HZ = 22050
FILES = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]
RATES_HZ = [4000, 8000, 11025, 16000, 22049, 22050, 22051, 44100, 48000, 96000, 192000, 384000]


def opened(samples, rate_hz=RATE_HZ, container="WAV", subtype="FLOAT"):
    return open_recording(EncodedAudio(encoded(samples, rate_hz, container, subtype)))


def pcm(samples, rate_hz=RATE_HZ, channels=1):
    return PcmAudio(np.asarray(samples, "<f4").tobytes(), rate_hz, channels)


@pytest.mark.parametrize(("container", "subtype"), FILES)
def test_a_section_decoded_alone_equals_the_same_part_of_the_whole(container, subtype):
    rate_hz = 48000 if subtype == "OPUS" else 44100
    content = EncodedAudio(encoded(music(4, rate_hz), rate_hz, container, subtype))
    everything = whole(open_recording(content), RATE_HZ)
    for start in (0, 1, 12345, 50001, len(everything) - 5000):
        part = section(open_recording(content), RATE_HZ, start, 5000)
        np.testing.assert_allclose(part, everything[start : start + 5000], atol=2e-6)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_section_is_exact_to_the_sample_at_any_rate(rate_hz):
    source = pcm(music(3, rate_hz), rate_hz)
    everything = whole(open_recording(source), RATE_HZ)
    assert len(everything) == round(3 * RATE_HZ)
    for start in (0, 7, 20001, 33333):
        part = section(open_recording(source), RATE_HZ, start, 9000)
        np.testing.assert_allclose(part, everything[start : start + 9000], atol=2e-6)


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_stretches_of_what_comes_in_parts_are_those_of_the_whole(size):
    samples = np.arange(1000, dtype=np.float32)
    bounds = [(0, 300), (100, 400), (400, 410), (600, 990)]
    parts = iter([samples[at : at + size] for at in range(0, 1000, size)])
    for (start, stop), stretch in zip(bounds, sections(parts, bounds), strict=True):
        np.testing.assert_array_equal(stretch, samples[start:stop])
    assert list(parts) == []  # damage at the very end is found, too


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_resampling_keeps_a_tone_where_it_was_in_time(rate_hz):
    def tone(at_rate_hz):
        return np.sin(2 * np.pi * 441 * np.arange(at_rate_hz) / at_rate_hz).astype(np.float32)

    heard = whole(open_recording(pcm(tone(rate_hz), rate_hz)), RATE_HZ)
    middle = slice(5000, 17000)  # the ends ring
    np.testing.assert_allclose(heard[middle], tone(RATE_HZ)[middle], atol=1e-3)


def test_at_the_front_ends_own_rate_samples_are_untouched():
    samples = music(2)
    np.testing.assert_array_equal(whole(opened(samples), RATE_HZ), samples)
    np.testing.assert_array_equal(section(opened(samples), RATE_HZ, 1000, 2000), samples[1000:3000])


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44100, 8000])
def test_beyond_the_ends_there_is_silence(rate_hz):
    recording = open_recording(pcm(music(1, rate_hz), rate_hz))
    everything = whole(recording, RATE_HZ)
    part = section(recording, RATE_HZ, -300, RATE_HZ + 1000)
    assert not part[:300].any()
    assert not part[300 + RATE_HZ :].any()
    np.testing.assert_allclose(part[300 : 300 + RATE_HZ], everything, atol=2e-6)
    assert not section(recording, RATE_HZ, 10 * RATE_HZ, 500).any()
    assert not section(recording, RATE_HZ, -5000, 500).any()


@pytest.mark.parametrize("channels", [1, 2, 3, 32])
def test_channels_are_averaged(channels):
    frames = np.random.default_rng(0).normal(0, 0.1, (3000, channels)).astype(np.float32)
    mono = frames.astype(np.float64).mean(axis=1)
    np.testing.assert_allclose(whole(opened(frames), RATE_HZ), mono, atol=1e-7)
    np.testing.assert_allclose(whole(open_recording(pcm(frames, channels=channels)), RATE_HZ), mono, atol=1e-7)


def test_samples_at_another_rate_are_rounded_to_the_nearest():
    recording = open_recording(pcm(np.zeros(100001) + 0.1, 44100))
    assert samples_at(recording, 22050) == 50001
    assert len(whole(recording, 22050)) == 50001


def refused(content):
    """What a file is refused for, whether on opening it or on reading it."""
    with pytest.raises(InvalidRequest) as refusal:
        whole(open_recording(EncodedAudio(content)), RATE_HZ)
    (violation,) = refusal.value.violations
    assert violation.field == "audio.encoded"
    return violation.description


@pytest.mark.parametrize(
    "content",
    [b"x", b"hello world " * 100, b"RIFF" + bytes(100), b"fLaC" + bytes(100), b"OggS" + bytes(100), bytes(5000)],
    ids=["one byte", "text", "RIFF", "FLAC", "Ogg", "zeros"],
)
def test_what_is_not_audio_is_refused(content):
    assert "is not audio that can be read" in refused(content)


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("MP3", None), ("FLAC", None)])
def test_a_file_that_ends_before_its_header_says_is_heard_as_far_as_it_goes(container, subtype):
    content = encoded(music(4), RATE_HZ, container, subtype)
    recording = open_recording(EncodedAudio(content[: len(content) * 2 // 3]))
    everything = whole(open_recording(EncodedAudio(content)), RATE_HZ)
    samples = whole(recording, RATE_HZ)
    assert 2 * RATE_HZ < len(samples) < 3.2 * RATE_HZ
    sure = len(samples) - 2000  # the last frame of MP3 is torn
    np.testing.assert_allclose(samples[:sure], everything[:sure], atol=1e-6)
    (warning,) = recording.warnings
    assert warning.kind is WarningKind.TRUNCATED
    assert "The header promises" in warning.sentence


def test_a_wav_file_of_unknown_length_is_read_to_its_end():
    """As a program writes it that sends a file through a pipe."""
    content = bytearray(encoded(music(1), RATE_HZ, "WAV", "PCM_16"))
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    assert len(whole(open_recording(EncodedAudio(bytes(content))), RATE_HZ)) == RATE_HZ


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_not_finite_or_absurd_are_refused(bad):
    samples = music(1)
    samples[777] = bad
    assert "not finite or beyond ±1000" in refused(encoded(samples, RATE_HZ, "WAV", "FLOAT"))
    with pytest.raises(InvalidRequest, match=r"audio\.pcm\.samples: holds a sample that is not finite"):
        whole(open_recording(pcm(samples)), RATE_HZ)


def test_integers_handed_over_as_floats_are_refused():
    with pytest.raises(InvalidRequest, match=r"samples lie in \[-1, 1\]"):
        whole(open_recording(pcm(music(1) * 32767)), RATE_HZ)


def test_a_file_without_samples_is_refused():
    assert "holds no samples" in refused(encoded(np.zeros(0, np.float32), RATE_HZ))


def test_a_container_that_was_not_asked_for_is_refused():
    assert "WAV, FLAC, MP3, AAC, MP4, Ogg, AIFF, CAF, W64, Matroska and WebM are accepted" in refused(
        encoded(music(1), RATE_HZ, "AU", "PCM_16")
    )


@pytest.mark.parametrize("rate_hz", [1000, 3999, 384001])
def test_sample_rates_beyond_the_limits_are_refused(rate_hz):
    assert "4000 to 384000 Hz are accepted" in refused(encoded(music(0.1), rate_hz, "WAV", "PCM_16"))


def test_more_channels_than_the_limit_are_refused():
    assert "has 33 channels; at most 32" in refused(encoded(np.zeros((2000, 33)), RATE_HZ, "WAV", "PCM_16"))


def test_an_hour_is_refused_by_its_header_and_not_decoded(tmp_path):
    path = Path(tmp_path, "hour.flac")
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8000, np.int16))
    assert path.stat().st_size < 1 << 20  # a bomb: a thousandth of what it decodes to
    with pytest.raises(InvalidRequest, match=r"lasts 3600\.0 s; at most 1200 s are accepted"):
        open_recording(EncodedAudio(path.read_bytes()))


def test_a_header_that_promises_hours_it_does_not_hold_is_refused():
    content = bytearray(encoded(music(1), 8000, "FLAC"))
    content[21:26] = bytes([content[21] & 0xF0 | 0x0F]) + b"\xff\xff\xff\xff"  # STREAMINFO: 36-bit number of samples
    assert f"at most {LIMITS.max_seconds:g} s" in refused(bytes(content))


def test_a_recording_is_read_in_blocks():
    recording = opened(np.zeros((200_000, 2), np.float32) + 0.1, 48000, "FLAC", "PCM_16")
    sizes = [len(block) for block in recording.blocks(5, 200_000)]
    assert sum(sizes) == 199_995
    assert max(sizes) <= 65536


def test_a_file_may_be_read_more_than_once():
    recording = opened(music(1), container="OGG", subtype="VORBIS")
    np.testing.assert_array_equal(whole(recording, 16000), whole(recording, 16000))


def test_real_files_open_from_memory_only():
    """No name of a file of this machine can be handed over in place of its content."""
    with pytest.raises(InvalidRequest):
        open_recording(EncodedAudio(b"/etc/hostname"))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("sample", [0, 999, -1000, 1001, -1001, np.nan, np.inf, -np.inf, 3e38])
def test_a_sample_beyond_the_limit_or_that_is_no_number_is_found_among_others(sample, order):
    samples = np.full((2, 20_000), 0.5, np.float32, order=order)
    assert is_within(samples, 1000)
    samples[1, 777] = sample
    assert is_within(samples, 1000) == (abs(sample) <= 1000)
    assert is_within(samples[:, 500:], 1000) == (abs(sample) <= 1000)


def test_many_samples_below_the_limit_are_within_it():
    assert is_within(np.full((2, 20_000), 999, np.float32), 1000)
    assert is_within(np.zeros((2, 0), np.float32), 1000)

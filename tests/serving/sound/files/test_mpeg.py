import numpy as np
import pytest
from phonoscope_serving.sound.files import mpeg
from support.corpora.sound import encoded
from support.corpora.sound_files import coded, song, tag


def view(content):
    return np.frombuffer(content, np.uint8)


@pytest.mark.parametrize(
    ("header", "rate_hz", "samples", "length"),
    [
        ("fffb9000", 44100, 1152, 417),  # MPEG 1 layer III, 128 kbit/s
        ("fffb9200", 44100, 1152, 418),  # padded
        ("fff38000", 22050, 576, 208),  # MPEG 2, 64 kbit/s
        ("ffe38000", 11025, 576, 417),  # MPEG 2.5
        ("fffd9000", 44100, 1152, 522),  # layer II, 160 kbit/s
        ("ffff9000", 44100, 384, 312),  # layer I, 288 kbit/s
        ("fffb0000", 44100, 1152, 0),  # free format
        ("fffbf000", 0, 1152, 0),  # no such bit rate
        ("fffb9c00", 0, 1152, 0),  # no such sample rate
        ("ffeb9000", 0, 1152, 0),  # no such version
        ("00fb9000", 0, 1152, 0),
    ],
)
def test_headers_are_read(header, rate_hz, samples, length):
    found = mpeg.frame_headers(view(bytes.fromhex(header)), np.array([0]))
    assert (found.sample_rate_hz[0], found.length[0]) == (rate_hz, length)
    assert not rate_hz or found.samples[0] == samples


def test_there_are_no_headers_beyond_the_end():
    content = view(bytes.fromhex("fffb9000"))
    assert not mpeg.frame_headers(content, np.array([-1, 1, 4, 10**12])).sample_rate_hz.any()
    assert not mpeg.frame_headers(view(b""), np.array([0])).sample_rate_hz.any()


def test_aac_headers_are_read():
    content = coded(song(2), 22050, "adts", "aac")
    at, headers = [0], mpeg.adts_headers(view(content), np.array([0]))
    while at[-1] + headers.length[-1] < len(content):
        at.append(at[-1] + int(headers.length[-1]))
        headers = mpeg.adts_headers(view(content), np.array(at))
        assert headers.sample_rate_hz[-1] == 22050
    assert at[-1] + headers.length[-1] == len(content)


@pytest.mark.parametrize("before", [b"", b"junk" * 100, bytes(100_000), b"\xff\xfb\x90\x00" * 50])
def test_the_first_frame_is_found(before):
    content = encoded(song(2), 22050, "MP3")
    assert mpeg.first_frame(view(before + content), mpeg.frame_headers) == len(before)


def test_chance_is_no_frame():
    assert mpeg.first_frame(view(np.random.default_rng(0).bytes(1 << 20)), mpeg.frame_headers) is None
    assert mpeg.first_frame(view(b""), mpeg.frame_headers) is None


def test_tables_tell_where_recordings_begin_and_how_many_frames_they_have():
    content = encoded(song(2), 22050, "MP3")
    assert mpeg.frames_with_tables(content + b"Info" + tag(300) + content) == [0, len(content) + 4 + 310]
    assert mpeg.promised_frames(content) == len(frames(content)) - 1
    assert mpeg.promised_frames(content[1000:]) is None


def frames(content):
    at = [0]
    while at[-1] < len(content):
        at.append(at[-1] + int(mpeg.frame_headers(view(content), np.array(at[-1:])).length[0]))
    return at[:-1]


def test_bytes_between_frames_are_lost_unless_they_are_a_tag():
    content = bytearray(encoded(song(2), 22050, "MP3"))
    at = frames(content)
    ends = [*at[1:], len(content)]
    content[at[20] : at[25]] = bytes(at[25] - at[20])
    content[at[30] : at[30] + 3] = b"ID3"
    kept = [place for place in range(len(at)) if place not in (20, 21, 22, 23, 24, 30)]
    lost = mpeg.lost_bytes(bytes(content), np.array(at)[kept], (np.array(ends) - np.array(at))[kept])
    assert lost.sum() == lost[19] == at[25] - at[20]

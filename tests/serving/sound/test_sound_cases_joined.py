"""Several recordings in one file: all of them heard, and said."""

import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.resampling import samples_at, section, whole
from support.corpora.sound import encoded
from support.corpora.sound_files import coded, delay, heard, kinds, made, opened, song, tag, wav

RATE_HZ = 22050
COMMANDS = {
    "MP3": "lame --quiet -V4 {song} {out}.mp3",
    "FLAC": "ffmpeg -v error -y -i {song} {out}.flac",
    "Vorbis": "ffmpeg -v error -y -i {song} -c:a libvorbis -q:a 5 {out}.ogg",
    "Opus": "ffmpeg -v error -y -i {song} -c:a libopus {out}.opus",
    "WebM": "ffmpeg -v error -y -i {song} -c:a libopus {out}.webm",
    "M4A": "ffmpeg -v error -y -i {song} {out}.m4a",
    "WAV": "ffmpeg -v error -y -i {song} {out}.wav",
    "AIFF": "ffmpeg -v error -y -i {song} {out}.aiff",
    "AAC": "ffmpeg -v error -y -i {song} {out}.aac",
}


def check_joined(content, seconds=(8, 12)):
    """Both parts are heard, one behind the other, and any section alone is what the whole is there."""
    recording, samples = heard(content)
    assert len(samples) / recording.sample_rate_hz == pytest.approx(sum(seconds), abs=0.2)  # two codecs' padding
    everything = whole(recording, RATE_HZ)
    assert len(everything) == samples_at(recording, RATE_HZ)
    seam = seconds[0] * RATE_HZ
    for found, reference in ((everything[:seam], song(8, 5)), (everything[seam:], song(12, 13))):
        lag, alike = delay(found, reference)
        assert abs(lag) < 0.15 * RATE_HZ
        assert alike > 0.9
    for start in range(0, len(everything) - 20000, 30011):  # some of them across the seam
        part = section(opened(content), RATE_HZ, start, 20000)
        np.testing.assert_allclose(part, everything[start : start + 20000], atol=5e-6)
    return recording


@pytest.mark.parametrize("kind", COMMANDS)
def test_two_files_joined_are_heard_both(kind, tmp_path):
    first, second = (made(COMMANDS[kind], tmp_path, song=wav(song(*part))) for part in ((8, 5), (12, 13)))
    recording = check_joined(first + second)
    if kind != "AAC":  # frames of one rate, with nothing between them: one recording
        (warning,) = (warning for warning in recording.warnings if warning.kind.name == "SEVERAL_STREAMS")
        assert warning.start_s == pytest.approx(8, abs=0.1)
        assert warning.end_s == pytest.approx(20, abs=0.2)


UNLIKE = [*COMMANDS, "MP3 without table", "CAF", "W64"]


@pytest.mark.parametrize("other", UNLIKE)
@pytest.mark.parametrize("one", UNLIKE)
def test_files_of_unlike_kinds_joined_are_heard_both(one, other, parts_of_every_kind):
    content = parts_of_every_kind[one][0] + parts_of_every_kind[other][1]
    recording, samples = heard(content)
    everything = whole(recording, RATE_HZ)
    assert len(samples) / recording.sample_rate_hz == pytest.approx(7, abs=0.25)  # two codecs' padding
    for found, reference in ((everything[: 3 * RATE_HZ], song(3, 5)), (everything[3 * RATE_HZ :], song(4, 13))):
        lag, alike = delay(found, reference)
        assert abs(lag) < 0.15 * RATE_HZ
        assert alike > 0.9
    if one.split()[0] != other.split()[0]:  # frames of one kind and rate, with nothing between, are one recording
        assert kinds(recording) == {"SEVERAL_STREAMS"}


@pytest.fixture(scope="module")
def parts_of_every_kind(tmp_path_factory):
    """Two stretches of the song in files of every kind."""
    folder = tmp_path_factory.mktemp("parts")
    commands = COMMANDS | {
        "MP3 without table": "lame --quiet -t -b 128 {song} {out}.mp3",
        "CAF": "ffmpeg -v error -y -i {song} {out}.caf",
        "W64": "ffmpeg -v error -y -i {song} {out}.w64",
    }
    stretches = [wav(song(3, 5)), wav(song(4, 13))]
    return {name: [made(command, folder, song=stretch) for stretch in stretches] for name, command in commands.items()}


def test_three_files_of_unlike_kinds_joined_without_programs_are_heard():
    first, second, third = encoded(song(3, 5), RATE_HZ, "FLAC"), encoded(song(3, 8), RATE_HZ, "MP3"), wav(song(3, 11))
    recording, samples = heard(first + tag(500) + second + third)
    assert kinds(recording) == {"SEVERAL_STREAMS"}
    assert delay(samples, song(9, 5))[1] > 0.9
    np.testing.assert_allclose(samples[: 3 * RATE_HZ], song(3, 5), atol=1e-4)


@pytest.mark.parametrize("behind", [b"APETAGEX" + bytes(500), b"TAG" + bytes(125), b"any text " * 5000, bytes(70_000)])
@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3", "AIFF"])
def test_what_lies_behind_a_file_and_is_no_sound_changes_nothing(container, behind):
    content = encoded(song(3), RATE_HZ, container)
    recording, samples = heard(content + behind)
    np.testing.assert_array_equal(samples, heard(content)[1])
    assert not recording.warnings


@pytest.mark.parametrize(
    ("one", "other"), [("MP3", "MP3"), ("FLAC", "FLAC"), ("Vorbis", "Vorbis"), ("Vorbis", "Opus"), ("WAV", "WAV")]
)
def test_parts_of_different_rate_are_heard_at_the_first_ones(one, other, tmp_path):
    first = made(COMMANDS[one], tmp_path, song=wav(song(8, 5)))
    faster = made("sox {song} -r 44100 {out}.wav", tmp_path, song=wav(song(12, 13)))
    recording = check_joined(first + made(COMMANDS[other], tmp_path, song=faster))
    assert recording.sample_rate_hz == RATE_HZ
    assert "of different sample rates" in next(w.sentence for w in recording.warnings if "rates" in w.sentence)


def test_mp3_files_without_tables_are_heard_on_across_a_change_of_rate():
    first = coded(song(8, 5), RATE_HZ, "mp3", "libmp3lame", write_xing="0")
    slow = song(12, 13)
    second = coded(
        np.interp(np.arange(2 * len(slow)) / 2, np.arange(len(slow)), slow).astype(np.float32),
        44100,
        "mp3",
        "libmp3lame",
        write_xing="0",
    )
    recording = check_joined(first + second)
    assert "SEVERAL_STREAMS" in kinds(recording)


@pytest.mark.parametrize("container", ["MP3", "FLAC", "OGG", "WAV"])
def test_files_joined_without_programs_are_heard_both(container):
    parts = [encoded(song(*part), RATE_HZ, container) for part in ((8, 5), (12, 13))]
    assert "SEVERAL_STREAMS" in kinds(check_joined(b"".join(parts)))
    assert "SEVERAL_STREAMS" in kinds(check_joined(tag(3000).join([b"", *parts])))


def test_a_part_that_cannot_be_read_is_said():
    content = encoded(song(4), RATE_HZ, "OGG")
    broken = bytearray(content)
    broken[100:400] = bytes(300)  # of the second part's headers
    recording, samples = heard(content + broken)
    assert len(samples) / RATE_HZ == pytest.approx(4, abs=0.05)
    assert "DAMAGED" in kinds(recording)


def test_more_parts_than_the_limit_are_refused():
    part = encoded(song(0.2), RATE_HZ, "OGG")
    assert len(heard(part * 64)[1]) == pytest.approx(64 * 0.2 * RATE_HZ, abs=64)
    with pytest.raises(InvalidRequest, match="holds more than 64 recordings"):
        opened(part * 65)


def test_streams_side_by_side_are_said(tmp_path):
    content = made(
        "ffmpeg -v error -y -i {song} -i {other} -map 0 -map 1 -c:a flac {out}.mka",
        tmp_path,
        song=wav(song(5)),
        other=wav(song(5)),
    )
    recording, samples = heard(content)
    assert delay(samples, song(5))[1] > 0.9
    assert kinds(recording) == {"SEVERAL_STREAMS"}


def test_a_film_is_heard(tmp_path):
    content = made(
        "ffmpeg -v error -y -f lavfi -i testsrc=s=64x64:d=5 -i {song} -c:v mpeg4 -c:a aac {out}.mp4",
        tmp_path,
        song=wav(song(5)),
    )
    recording, samples = heard(content)
    assert delay(samples, song(5))[1] > 0.9
    assert not recording.warnings

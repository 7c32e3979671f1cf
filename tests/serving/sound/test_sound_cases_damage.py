"""Files that were cut, damaged, or are wrong about themselves: heard as far as they go, in their place, and said."""

import resource
import struct
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import LIMITS, EncodedAudio
from phonoscope_serving.sound.opening import open_recording
from support.corpora.sound import encoded, music
from support.corpora.sound_files import coded, delay, heard, kinds, made, opened, pages, sealed, song, wav

RATE_HZ = 22050


def told(recording, kind):
    """The one warning of a kind."""
    (warning,) = (warning for warning in recording.warnings if warning.kind.name == kind)
    return warning


def check_gap(damaged, whole, seconds, estimate_s=0.0):
    """Silence as long as what is missing, everything else where it was.

    Where frames are of any length and nothing counts them, how many were lost is an estimate: `estimate_s` is how far
    it may be off.
    """
    recording, samples = heard(damaged)
    _, reference = heard(whole)
    rate_hz = recording.sample_rate_hz
    assert len(samples) == pytest.approx(len(reference), abs=(0.02 + estimate_s) * rate_hz)
    gap = told(recording, "GAP")
    assert gap.end_s - gap.start_s == pytest.approx(seconds, abs=0.1 + estimate_s)
    before, after = round((gap.start_s - 0.2) * rate_hz), round((gap.end_s + 0.2) * rate_hz)
    count = min(len(samples), len(reference)) - round(0.1 * rate_hz)
    np.testing.assert_allclose(samples[:before], reference[:before], atol=1e-6)
    lag, _ = delay(samples[after:count], reference[after:count])
    assert abs(lag) <= estimate_s * rate_hz
    if not estimate_s:
        np.testing.assert_allclose(samples[after:count], reference[after:count], atol=0.05)
    assert not samples[round((gap.start_s + 0.2) * rate_hz) : round((gap.end_s - 0.2) * rate_hz)].any()
    part = np.concatenate(list(opened(damaged).blocks(after, after + 5000)))
    np.testing.assert_allclose(part, samples[after : after + 5000], atol=2e-6)


@pytest.mark.parametrize("codec", ["libopus", "libvorbis", "flac"])
def test_a_lost_page_of_ogg_is_silent(codec, tmp_path):
    whole = made(f"ffmpeg -v error -y -i {{song}} -c:a {codec} {{out}}.ogg", tmp_path, song=wav(song()))
    found = pages(whole)
    lost = len(found) // 2
    lasts_s = [int.from_bytes(page[6:14], "little") for page in found]
    seconds = (lasts_s[lost] - lasts_s[lost - 1]) / (48000 if codec == "libopus" else RATE_HZ)
    check_gap(b"".join(found[:lost] + found[lost + 1 :]), whole, seconds)


def test_a_lost_page_is_silent_wherever_tests_run():
    whole = encoded(song(12), RATE_HZ, "OGG", "VORBIS")
    found = pages(whole)
    lost = len(found) // 2
    seconds = (struct.unpack_from("<q", found[lost], 6)[0] - struct.unpack_from("<q", found[lost - 1], 6)[0]) / RATE_HZ
    check_gap(b"".join(found[:lost] + found[lost + 1 :]), whole, seconds)


def test_a_page_of_which_a_bit_is_wrong_is_silent():
    whole = encoded(song(12), RATE_HZ, "OGG", "VORBIS")
    found = pages(whole)
    wrong = bytearray(found[len(found) // 2])
    wrong[len(wrong) // 2] ^= 1
    found[len(found) // 2] = bytes(wrong)
    assert kinds(heard(b"".join(found))[0]) == {"GAP"}


def test_a_page_that_comes_twice_is_heard_once():
    whole = encoded(song(12), RATE_HZ, "OGG", "VORBIS")
    found = pages(whole)
    twice = len(found) // 2
    recording, samples = heard(b"".join(found[: twice + 1] + found[twice:]))
    np.testing.assert_allclose(samples, heard(whole)[1], atol=0.5)
    assert delay(samples, heard(whole)[1]) == (0, pytest.approx(1, abs=0.01))
    assert kinds(recording) == {"DAMAGED"}


@pytest.mark.parametrize(
    ("command", "zeros"),
    [
        ("lame --quiet -b 128 {song} {out}.mp3", 60_000),
        ("lame --quiet -V4 {song} {out}.mp3", 60_000),
        ("lame --quiet -t -b 128 {song} {out}.mp3", 60_000),
        ("ffmpeg -v error -y -i {song} {out}.flac", 60_000),
        ("ffmpeg -v error -y -i {song} {out}.oga", 60_000),
        ("ffmpeg -v error -y -i {song} -b:a 64k {out}.aac", 30_000),
    ],
    ids=["MP3", "MP3 of variable rate", "MP3 without table", "FLAC", "Ogg FLAC", "AAC"],
)
def test_zeros_in_the_middle_of_a_file_are_a_gap(command, zeros, tmp_path):
    whole = made(command, tmp_path, song=wav(song()))
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(zeros) + whole[middle + zeros :]
    gap = told(heard(damaged)[0], "GAP")
    lost_s = zeros / len(whole) * len(song()) / RATE_HZ
    check_gap(damaged, whole, gap.end_s - gap.start_s, 0.1 * lost_s if command.endswith(".aac") else 0.0)
    assert gap.end_s - gap.start_s == pytest.approx(lost_s, rel=0.4)


def test_zeros_in_an_mp3_file_are_a_gap_wherever_tests_run():
    whole = encoded(song(12), RATE_HZ, "MP3")
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(12_000) + whole[middle + 12_000 :]
    lost_s = 12_000 / len(whole) * 12
    check_gap(damaged, whole, lost_s, 0.1 * lost_s)


def test_a_packet_that_cannot_be_decoded_is_silent_and_said():
    whole = encoded(song(12), RATE_HZ, "MP3")
    place = whole.index(whole[:2], len(whole) // 2)  # the sync word of a frame in the middle
    damaged = whole[: place + 4] + bytes([255] * 60) + whole[place + 64 :]
    recording, samples = heard(damaged)
    reference = heard(whole)[1]
    assert len(samples) == len(reference)
    assert kinds(recording) <= {"DAMAGED", "GAP"}
    wrong = np.flatnonzero(np.abs(samples - reference) > 1e-6) / RATE_HZ
    assert wrong[-1] - wrong[0] < 0.6  # later frames hold some of their own bits in it


def test_samples_that_no_codec_was_given_are_silent_and_said():
    """Damaged AAC decodes to samples of any size: no reason to refuse the rest."""
    whole = coded(song(6), 44100, "matroska", "aac")
    rng = np.random.default_rng(1)
    said = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole) // 20, len(whole), rng.integers(1, 30)).tolist():
            damaged[place] = rng.integers(256)
        recording, samples = heard(damaged)
        assert np.abs(samples).max() <= LIMITS.max_peak
        said += "DAMAGED" in kinds(recording)
    assert said


CUT = [
    ("Vorbis", "ffmpeg -v error -y -i {song} -c:a libvorbis {out}.ogg"),
    ("Opus", "ffmpeg -v error -y -i {song} -c:a libopus {out}.opus"),
    ("FLAC", "ffmpeg -v error -y -i {song} {out}.flac"),
    ("MP3", "lame --quiet -V4 {song} {out}.mp3"),
    ("MP3 without table", "lame --quiet -t -b 128 {song} {out}.mp3"),
    ("MP2", "ffmpeg -v error -y -i {song} -c:a mp2 {out}.mp2"),
    ("AAC", "ffmpeg -v error -y -i {song} {out}.aac"),
    ("WAV", "ffmpeg -v error -y -i {song} {out}.wav"),
    ("RF64", "ffmpeg -v error -y -i {song} -rf64 always {out}.wav"),
    ("W64", "ffmpeg -v error -y -i {song} {out}.w64"),
    ("AIFF", "ffmpeg -v error -y -i {song} {out}.aiff"),
    ("CAF", "ffmpeg -v error -y -i {song} {out}.caf"),
    ("M4A", "ffmpeg -v error -y -i {song} -movflags +faststart {out}.m4a"),
    ("MP4 in fragments", "ffmpeg -v error -y -i {song} -movflags frag_keyframe+empty_moov {out}.mp4"),
    ("WebM", "ffmpeg -v error -y -i {song} -c:a libopus {out}.webm"),
    ("GSM", "sox {song} -r 8000 -e gsm-full-rate {out}.wav"),
]


@pytest.mark.parametrize(("name", "command"), CUT, ids=[name for name, _ in CUT])
def test_a_file_cut_at_two_thirds_is_heard_as_far_as_it_goes(name, command, tmp_path):
    whole = made(command, tmp_path, song=wav(song()))
    cut = whole[: len(whole) * 2 // 3 - 50]  # at two thirds itself, a frame of MP2 ends, and nothing tells
    decoded = made("ffmpeg -v quiet -i {file} -map 0:a:0 -ac 1 -f f32le -", tmp_path, file=cut)
    check_cut(cut, whole, len(decoded) / 4)


@pytest.mark.parametrize("lacking", [1, 3, 40, 100])
@pytest.mark.parametrize(("container", "codec"), [("mp3", "libmp3lame"), ("mp2", "mp2"), ("adts", "aac")])
def test_the_last_frame_of_a_file_without_a_length_tells_that_it_was_cut(container, codec, lacking):
    options = {"write_xing": "0"} if container == "mp3" else {}
    whole = coded(song(4), 44100, container, codec, **options)
    assert not opened(whole).warnings
    recording, samples = heard(whole[:-lacking])
    assert told(recording, "TRUNCATED").start_s == pytest.approx(len(samples) / 44100, abs=0.01)


@pytest.mark.parametrize("container", ["OGG", "FLAC", "MP3", "WAV", "RF64", "AIFF", "W64"])
def test_a_cut_file_is_heard_as_far_as_it_goes_wherever_tests_run(container):
    whole = encoded(song(12), RATE_HZ, container)
    check_cut(whole[: len(whole) * 2 // 3], whole)


def check_cut(cut, whole, expected_samples=None):
    recording, samples = heard(cut)
    reference = heard(whole)[1]
    if expected_samples is not None:
        assert len(samples) == pytest.approx(expected_samples, abs=0.03 * recording.sample_rate_hz)
    assert 0.5 * len(reference) < len(samples) < 0.8 * len(reference)
    sure = len(samples) - round(0.1 * recording.sample_rate_hz)
    np.testing.assert_allclose(samples[:sure], reference[:sure], atol=1e-4)
    warning = told(recording, "TRUNCATED")
    assert warning.start_s == pytest.approx(len(samples) / recording.sample_rate_hz, abs=0.01)
    assert kinds(recording) <= {"TRUNCATED", "NARROW_BAND"}


@pytest.mark.parametrize("written", [0, 1000, 0x00FFFFF0])
def test_a_wav_file_whose_data_is_longer_or_shorter_than_its_header_says_is_heard_and_said(written):
    content = bytearray(wav(song(4)))
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", written)
    recording, samples = heard(content)
    np.testing.assert_array_equal(samples, heard(wav(song(4)))[1])
    assert kinds(recording) == {"TRUNCATED"}


@pytest.mark.parametrize("behind", [b"LIST\x04\x00\x00\x00INFO", b"TAG" + b"a" * 125, bytes(5000), b"\x00"])
def test_what_follows_the_samples_of_a_wav_file_is_no_sound(behind):
    recording, samples = heard(wav(song(2)) + behind)
    np.testing.assert_array_equal(samples, heard(wav(song(2)))[1])
    assert not recording.warnings


def test_wav_files_that_programs_cannot_finish_are_whole():
    """As written into a pipe: no length, and nothing is missing."""
    content = bytearray(wav(song(2)))
    at = content.index(b"data") + 4
    content[4:8] = content[at : at + 4] = b"\xff" * 4
    recording, samples = heard(content)
    assert len(samples) == 2 * RATE_HZ
    assert not recording.warnings


def test_time_stamps_that_jump_absurdly_are_not_believed():
    found = pages(encoded(song(12), RATE_HZ, "OGG", "VORBIS"))
    for place in range(len(found) // 2, len(found)):
        page = bytearray(found[place])
        page[6:14] = struct.pack("<q", struct.unpack_from("<q", page, 6)[0] + 10**12)
        found[place] = sealed(page)
    recording, samples = heard(b"".join(found))
    assert len(samples) == pytest.approx(12 * RATE_HZ, rel=0.1)
    assert kinds(recording) == {"DAMAGED"}


def test_damage_makes_no_noise_but_warnings(capfd):
    whole = encoded(song(6), RATE_HZ, "MP3")
    rng = np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 40).tolist():
            damaged[place] ^= 255
        try:
            heard(damaged)
        except InvalidRequest:
            continue
    assert capfd.readouterr() == ("", "")


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    bomb = tmp_path / "hour.flac"
    with soundfile.SoundFile(bomb, "w", 8000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8000, np.int16))
    content = bytearray(bomb.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)  # STREAMINFO: number of samples unknown, as from a pipe
    with pytest.raises(InvalidRequest, match=r"lasts 3600\.0 s; at most 1200 s are accepted"):
        opened(content)


def test_claims_of_gigabytes_are_not_believed():
    """A chunk of a header that claims to be 700 MB long: memory is not set aside for it."""
    content = bytearray(wav(song(1)))
    content[16:20] = struct.pack("<I", 0x7F00001A)
    content[12:16] = b"LIST"
    content[20:24] = b"INFO"
    content[24:32] = b"ISFT" + struct.pack("<I", 0x2B000000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidRequest):
        opened(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_more_packets_than_the_limit_are_refused():
    content = encoded(music(4), RATE_HZ, "MP3")
    with pytest.raises(InvalidRequest, match="holds more than 20 packets"):
        open_recording(EncodedAudio(content), limits=replace(LIMITS, max_packets=20))
    with pytest.raises(InvalidRequest, match=r"holds a packet of \d+ bytes; at most 100"):
        open_recording(EncodedAudio(content), limits=replace(LIMITS, max_packet_bytes=100))


def test_samples_of_many_channels_count_together():
    content = encoded(np.zeros((RATE_HZ, 8), np.float32) + 0.1, RATE_HZ, "FLAC")
    assert opened(content).samples == RATE_HZ
    with pytest.raises(InvalidRequest, match="holds 22050 samples of 8 channels; at most 100000 are accepted"):
        open_recording(EncodedAudio(content), limits=replace(LIMITS, max_values=100_000))

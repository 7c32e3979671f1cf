"""Files as players read them: all of them, and every moment where it belongs."""

import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.resampling import whole
from support.corpora.sound import encoded
from support.corpora.sound_files import (
    coded,
    cover_of_ogg,
    delay,
    heard,
    kinds,
    made,
    opened,
    pages,
    picture,
    sealed,
    song,
    tag,
    wav,
)

RATE_HZ = 22050
LEAST_ALIKE = 0.9  # correlation; telephone codecs and the lowest bit rates have the least
CODEC_DELAY_S = 0.08
WHOLE = [
    ("MP3, variable rate, no table", "lame --quiet -t -V4 {song} {out}.mp3"),
    ("MP3, constant rate, no table", "lame --quiet -t -b 128 {song} {out}.mp3"),
    ("MP3, variable rate", "lame --quiet -V4 {song} {out}.mp3"),
    ("MP2", "ffmpeg -i {song} -c:a mp2 {out}.mp2"),
    ("MP3 with a cover", "ffmpeg -i {song} -i {cover} -map 0 -map 1 -c:v copy -disposition:v attached_pic {out}.mp3"),
    ("FLAC from a pipe", "ffmpeg -i {song} -f flac -"),
    ("FLAC", "ffmpeg -i {song} {out}.flac"),
    ("FLAC with a cover", "ffmpeg -i {song} -i {cover} -map 0 -map 1 -c:v copy -disposition:v attached_pic {out}.flac"),
    ("Opus", "ffmpeg -i {song} -c:a libopus {out}.opus"),
    ("Vorbis", "ffmpeg -i {song} -c:a libvorbis -q:a 5 {out}.ogg"),
    ("Vorbis with a cover", "ffmpeg -i {song} -i {tags} -map 0 -map_metadata 1 -c:a libvorbis {out}.ogg"),
    ("Opus with a cover", "ffmpeg -i {song} -i {tags} -map 0 -map_metadata 1 -c:a libopus {out}.opus"),
    ("Ogg FLAC", "ffmpeg -i {song} -c:a flac {out}.oga"),
    ("AAC", "ffmpeg -i {song} {out}.aac"),
    ("M4A", "ffmpeg -i {song} {out}.m4a"),
    ("M4A with a cover", "ffmpeg -i {song} -i {cover} -map 0 -map 1 -c:v copy -disposition:v attached_pic {out}.m4a"),
    ("MP4 in fragments", "ffmpeg -i {song} -movflags frag_keyframe+empty_moov {out}.mp4"),
    ("Apple lossless", "ffmpeg -i {song} -c:a alac {out}.m4a"),
    ("AIFF", "ffmpeg -i {song} {out}.aiff"),
    ("CAF", "ffmpeg -i {song} {out}.caf"),
    ("W64", "ffmpeg -i {song} {out}.w64"),
    ("RF64", "ffmpeg -i {song} -rf64 always {out}.wav"),
    ("WebM, Opus", "ffmpeg -i {song} -c:a libopus {out}.webm"),
    ("WebM, Vorbis", "ffmpeg -i {song} -c:a libvorbis {out}.webm"),
    ("Matroska, AAC", "ffmpeg -i {song} -c:a aac {out}.mka"),
    ("Matroska, MP3", "ffmpeg -i {song} -c:a libmp3lame {out}.mka"),
    ("Matroska, samples", "ffmpeg -i {song} -c:a pcm_s16le {out}.mkv"),
    ("GSM in WAV", "sox {song} -r 8000 -e gsm-full-rate {out}.wav"),
    ("G.726 in WAV", "ffmpeg -i {song} -ar 8000 -c:a g726 -b:a 32k {out}.wav"),
    ("A-law in WAV", "sox {song} -r 8000 -e a-law {out}.wav"),
    ("IMA ADPCM in WAV", "sox {song} -e ima-adpcm {out}.wav"),
    ("Microsoft ADPCM in WAV", "sox {song} -e ms-adpcm {out}.wav"),
    ("MP3 in WAV", "ffmpeg -i {song} -c:a libmp3lame {out}.wav"),
]


@pytest.fixture(scope="module")
def inputs():
    """What files are made of: the song that ships, a picture, and that picture as Ogg carries it."""
    return {"song": wav(song()), "cover": picture(), "tags": cover_of_ogg()}


@pytest.mark.parametrize(("name", "command"), WHOLE, ids=[name for name, _ in WHOLE])
def test_a_file_is_heard_whole_and_in_its_place(name, command, inputs, tmp_path):
    used = {each: content for each, content in inputs.items() if f"{{{each}}}" in command}
    command = command.replace("ffmpeg ", "ffmpeg -v error -y ", 1)
    content = made(command, tmp_path, **used)
    recording, samples = heard(content)
    decoded = made("ffmpeg -v error -i {file} -map 0:a:0 -ac 1 -f f32le -", tmp_path, file=content)
    lasts_s = len(decoded) / 4 / recording.sample_rate_hz
    assert len(samples) / recording.sample_rate_hz == pytest.approx(lasts_s, abs=0.02)
    at_rate = whole(recording, RATE_HZ)
    lag, alike = delay(at_rate, song())
    assert abs(lag) <= CODEC_DELAY_S * RATE_HZ
    assert alike >= LEAST_ALIKE
    assert kinds(recording) <= {"NARROW_BAND"}
    check_sections(content, recording, samples)


PROBED_S = 0.02
BY_THE_HEADER = ("MP3, ", "MP3 with a cover", "AAC", "FLAC from a pipe")  # which ffprobe guesses, or takes with padding


@pytest.mark.parametrize(("name", "command"), WHOLE, ids=[name for name, _ in WHOLE])
def test_position_and_duration_are_those_that_ffprobe_tells(name, command, inputs, tmp_path):
    """By the frames it decodes for every kind, and by what it says of the file where it knows that."""
    used = {each: content for each, content in inputs.items() if f"{{{each}}}" in command}
    content = made(command.replace("ffmpeg ", "ffmpeg -v error -y ", 1), tmp_path, **used)
    recording, samples = heard(content)
    probe = "ffprobe -v error -select_streams a:0 -of csv=p=0 -show_entries"
    counts = made(f"{probe} frame=nb_samples {{file}}", tmp_path, file=content).decode().replace(",", " ").split()
    assert recording.samples / recording.sample_rate_hz == pytest.approx(
        sum(map(int, counts)) / recording.sample_rate_hz, abs=PROBED_S
    )
    if not name.startswith(BY_THE_HEADER):
        said = made(f"{probe} format=duration {{file}}", tmp_path, file=content)
        assert recording.samples / recording.sample_rate_hz == pytest.approx(float(said), abs=PROBED_S)
    decoded = np.frombuffer(
        made("ffmpeg -v error -i {file} -map 0:a:0 -ac 1 -f f32le -", tmp_path, file=content), "<f4"
    )
    lag, alike = delay(samples, decoded)
    assert abs(lag) <= PROBED_S * recording.sample_rate_hz
    assert alike > 0.999


def check_sections(content, recording, samples):
    """Any section, read alone, is what the whole is there."""
    rng = np.random.default_rng(0)
    starts = [0, 1, len(samples) - 4000, *rng.integers(0, len(samples) - 4000, 5).tolist()]
    for start in starts:
        part = np.concatenate(list(recording.blocks(start, start + 4000)))
        np.testing.assert_allclose(part, samples[start : start + 4000], atol=2e-6)
    start = starts[-1]
    part = np.concatenate(list(opened(content).blocks(start, start + 4000)))
    np.testing.assert_allclose(part, samples[start : start + 4000], atol=2e-6)


GENERATED = {
    "MP3": lambda: encoded(song(6), RATE_HZ, "MP3"),
    "MP3 from FFmpeg": lambda: coded(song(6), RATE_HZ, "mp3", "libmp3lame"),
    "MP3 without table": lambda: coded(song(6), RATE_HZ, "mp3", "libmp3lame", write_xing="0"),
    "Vorbis": lambda: encoded(song(6), RATE_HZ, "OGG", "VORBIS"),
    "Opus": lambda: coded(song(6), 48000, "ogg", "libopus"),
    "FLAC": lambda: encoded(song(6), RATE_HZ, "FLAC"),
    "AAC": lambda: coded(song(6), RATE_HZ, "adts", "aac"),
    "M4A": lambda: coded(song(6), RATE_HZ, "ipod", "aac"),
    "WebM": lambda: coded(song(6), 48000, "webm", "libopus"),
    "AIFF": lambda: encoded(song(6), RATE_HZ, "AIFF", "PCM_16"),
    "CAF": lambda: encoded(song(6), RATE_HZ, "CAF", "ALAC_16"),
    "W64": lambda: encoded(song(6), RATE_HZ, "W64", "PCM_24"),
    "GSM in WAV": lambda: encoded(song(6), RATE_HZ, "WAV", "GSM610"),
    "G.721 in WAV": lambda: encoded(song(6), RATE_HZ, "WAV", "G721_32"),
    "ADPCM in WAV": lambda: encoded(song(6), RATE_HZ, "WAV", "IMA_ADPCM"),
}


@pytest.mark.parametrize("name", GENERATED)
def test_a_file_made_without_programs_is_heard_whole(name):
    content = GENERATED[name]()
    recording, samples = heard(content)
    reference = song(6)
    if recording.sample_rate_hz == 48000:  # the samples went in as if they had been at that rate
        assert len(samples) == pytest.approx(len(reference), abs=0.02 * 48000)
    else:
        assert len(samples) / RATE_HZ == pytest.approx(6, abs=0.1)  # frames are filled up
    lag, alike = delay(samples, reference)
    assert abs(lag) <= CODEC_DELAY_S * RATE_HZ
    assert alike >= LEAST_ALIKE
    assert kinds(recording) <= {"NARROW_BAND"}
    check_sections(content, recording, samples)


@pytest.mark.parametrize("before", [tag(3 << 20), b"hello, this is text. " * 300, bytes(200_000), tag(40) + bytes(999)])
@pytest.mark.parametrize("options", [{}, {"write_xing": "0"}])
def test_what_comes_before_the_first_frame_of_an_mp3_file_is_no_sound(before, options):
    content = coded(song(6), RATE_HZ, "mp3", "libmp3lame", id3v2_version="0", **options)
    recording, samples = heard(before + content)
    np.testing.assert_array_equal(samples, heard(content)[1])
    assert not recording.warnings


def test_a_stretch_that_was_cut_out_is_heard_from_its_own_beginning(tmp_path):
    command = "ffmpeg -v error -y -ss 20 -t 20 -i {song} -c:a libvorbis -q:a 5 {out}.ogg"
    recording, samples = heard(made(command, tmp_path, song=wav(song())))
    assert len(samples) == pytest.approx(20 * RATE_HZ, abs=0.02 * RATE_HZ)
    assert delay(samples, song(20, 20)) == (pytest.approx(0, abs=0.02 * RATE_HZ), pytest.approx(1, abs=0.1))
    assert not recording.warnings


def test_a_wav_file_behind_a_tag_is_heard():
    content = wav(song(3))
    np.testing.assert_array_equal(heard(tag(4000) + content)[1], heard(content)[1])


@pytest.mark.parametrize("rate_hz", [0, 8000, 12345, 192000])
def test_opus_is_heard_at_48_khz_whatever_its_header_says(rate_hz):
    """RFC 7845, 5.1: the header's rate is that of what went in, and no part of decoding."""
    first, *others = pages(coded(song(4), 48000, "ogg", "libopus"))
    at = first.index(b"OpusHead") + 12
    changed = sealed(first[:at] + rate_hz.to_bytes(4, "little") + first[at + 4 :])
    recording, samples = heard(changed + b"".join(others))
    assert recording.sample_rate_hz == 48000
    np.testing.assert_array_equal(samples, heard(first + b"".join(others))[1])


def test_channels_of_many_speakers_are_heard():
    six = np.stack([song(3) * gain for gain in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)])
    for content in (
        coded(six, 48000, "ogg", "libopus", "5.1"),
        coded(six, 44100, "ipod", "aac", "5.1"),
        encoded(np.tile(six.T, (1, 2)), 44100, "OGG", "VORBIS"),  # twelve
    ):
        recording, samples = heard(content)
        assert len(samples) == pytest.approx(six.shape[1], abs=0.03 * recording.sample_rate_hz)
        assert delay(samples, song(3))[1] > LEAST_ALIKE


@pytest.mark.parametrize(
    "content",
    [
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    ],
    ids=["concat", "HLS", "DASH", "SDP"],
)
def test_nothing_that_names_other_files_is_opened(content):
    with pytest.raises(InvalidRequest, match="is not audio that can be read"):
        opened(content * 20)


def test_codecs_that_were_not_asked_for_are_refused():
    with pytest.raises(InvalidRequest, match="holds wavpack, which is not accepted; WAV, FLAC"):
        opened(coded(song(2), RATE_HZ, "matroska", "wavpack"))


def test_containers_without_sound_are_refused():
    with pytest.raises(InvalidRequest, match="is not audio that can be read"):
        opened(picture())


@pytest.mark.parametrize("mark", [b"OggS\0\0", tag(0), b"\xff\xfb\x90\x00", b"RIFF\x05\0\0\0WAVE\0", b"fLaC"])
def test_beginnings_over_and_over_are_refused(mark):
    with pytest.raises(InvalidRequest):
        opened(mark * 200_000)

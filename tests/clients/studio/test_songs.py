"""Songs: taken in whatever they are, played, drawn, and left as they are."""

import hashlib
import io
from urllib.parse import quote

import av
import numpy as np
import pytest
import soundfile
from phonoscope_client.results.parts import wav
from support.corpora.sound_files import coded

pytestmark = pytest.mark.e2e
RATE_HZ = 44100
FORMATS = {
    "wav": ("wav", "pcm_s16le", "audio/wav"),
    "flac": ("flac", "flac", "audio/flac"),
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "m4a": ("ipod", "aac", "audio/mp4"),
    "opus": ("ogg", "libopus", "audio/ogg"),
    "webm": ("webm", "libopus", "audio/ogg"),
    "alac": ("ipod", "alac", "audio/ogg"),
    "aiff": ("aiff", "pcm_s16be", "audio/ogg"),
    "caf": ("caf", "pcm_s16le", "audio/ogg"),
    "w64": ("w64", "pcm_s16le", "audio/ogg"),
}


def sound(kind):
    """Three seconds of a tone of two channels."""
    container, codec, _ = FORMATS[kind]
    pitch = 220 + 20 * list(FORMATS).index(kind)
    tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(3 * RATE_HZ) / RATE_HZ).astype(np.float32)
    if codec.startswith("pcm") or codec == "flac":
        file = io.BytesIO()
        soundfile.write(file, np.stack([tone, tone / 2], axis=1), RATE_HZ, format=container.upper(), subtype="PCM_16")
        return file.getvalue()
    rate_hz = 48000 if codec == "libopus" else RATE_HZ
    return coded(np.stack([tone, tone / 2]), rate_hz, container, codec, "stereo")


@pytest.mark.parametrize("kind", FORMATS)
def test_what_the_service_reads_can_be_dropped_played_and_seen(visitor, kind):
    answer = visitor.drop(sound(kind), f"a%20tone.{kind}")
    assert answer.status == 201, answer.body
    song = answer.json
    assert song["name"] == f"a tone.{kind}"
    assert song["duration_s"] == pytest.approx(3, abs=0.3)
    played = visitor.get(f"/api/songs/{song['id']}/audio")
    assert played.status == 200
    assert played.headers["content-type"] == FORMATS[kind][2]
    with av.open(io.BytesIO(played.body)) as file:
        assert file.streams.audio
    drawn = visitor.get(f"/api/songs/{song['id']}/peaks").json
    assert len(drawn["low"]) == len(drawn["high"]) == pytest.approx(song["duration_s"] * drawn["per_second"], abs=2)
    assert max(drawn["high"]) == pytest.approx(127 * 0.3 * 0.75, abs=4)
    assert min(drawn["low"]) == pytest.approx(-127 * 0.3 * 0.75, abs=4)


def test_any_stretch_of_a_recording_can_be_asked_for(visitor, number, song):
    whole = song.read_bytes()
    answer = visitor.get(f"/api/songs/{number}/audio", range="bytes=1000-1999")
    assert answer.status == 206
    assert answer.body == whole[1000:2000]
    assert answer.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"


def test_a_file_that_browsers_stumble_over_can_be_had_as_a_copy(visitor, number):
    assert visitor.get(f"/api/songs/{number}/audio?form=copy").headers["content-type"] == "audio/ogg"


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.wav", "../../etc/passwd", "a\nb", "\u202egnp.wav", "é" * 900]
)
def test_a_hostile_name_is_text_and_names_no_file(visitor, tone, name):
    content = wav(np.roll(tone, len(name)), 22050)
    song = visitor.drop(content, quote(name)).json
    assert song["name"] == name[:200]
    assert visitor.get(f"/api/songs/{song['id']}/audio").body == content


@pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF" + bytes(2000), b"<html>" * 500])
def test_what_holds_no_sound_is_refused_with_what_to_give(visitor, content):
    before = visitor.get("/api/songs").json
    answer = visitor.drop(content, "x.wav")
    assert answer.status == 400
    assert "MP3" in answer.error["message"]
    assert visitor.get("/api/songs").json == before


def test_what_is_too_large_is_refused_before_it_is_sent(visitor):
    connection, response = visitor.begin("POST", "/api/songs?name=x", None, **{"content-length": str(2**40)})
    assert response.status == 413
    assert b"GiB" in response.read()
    connection.close()


def test_the_same_file_is_the_same_song(visitor, song, number):
    again = visitor.drop(song.read_bytes(), "another%20name.wav").json
    assert again["id"] == number


def test_a_song_stays_as_it_is_and_nothing_is_written_beside_it(visitor, number, song, heard):
    before = hashlib.sha256(song.read_bytes()).hexdigest(), sorted(song.parent.iterdir())
    visitor.get(f"/api/songs/{number}/peaks")
    visitor.post(f"/api/songs/{number}/explain", {"at_s": 4})
    assert (hashlib.sha256(song.read_bytes()).hexdigest(), sorted(song.parent.iterdir())) == before


@pytest.mark.parametrize("path", ["audio", "peaks", "track", "tiles/0"])
def test_a_song_that_is_not_there_is_said_not_to_be(visitor, path):
    answer = visitor.get(f"/api/songs/nothing/{path}")
    assert answer.status == 404
    assert "drop it again" in answer.error["message"]

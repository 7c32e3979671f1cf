"""The page of a track: what it draws is what the track holds, and what it plays is where it was."""

import base64
import io
import json
import re
from dataclasses import replace

import av
import numpy as np
import pytest
from phonoscope_client import Waveform
from phonoscope_client.reports.track.drawing import MOST_COLUMNS, QUIETEST_DB, drawing
from phonoscope_client.reports.track.opus import clip, recording
from phonoscope_client.reports.track.page import track_page
from phonoscope_client.reports.track.waveform import extremes
from phonoscope_client.results.parts import wav
from phonoscope_client.results.track import Segment, SegmentTrust
from support.services.track_results import track

RATE_HZ = 22050


def decoded(data):
    """Samples `[N]` of a sound and their rate, channels averaged."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        (stream,) = container.streams
        return np.concatenate(frames, axis=1).mean(axis=0), stream.sample_rate, stream.codec_context.name


def unpacked(text, dtype=np.uint8):
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Half a minute of a tone that sounds from 10 to 20 s."""
    time_s = np.arange(30 * RATE_HZ) / RATE_HZ
    sound = 0.5 * np.sin(2 * np.pi * 440 * time_s) * ((time_s >= 10) & (time_s < 20))
    path = tmp_path_factory.mktemp("song") / "a tone.wav"
    path.write_bytes(wav(sound.astype(np.float32), RATE_HZ))
    return path


@pytest.fixture(scope="module")
def drawn(song):
    return drawing(track(), song)


def test_levels_are_decibels_below_the_loudest_bin(drawn):
    made = track()
    levels = unpacked(drawn["levels"]).reshape(drawn["columns"], drawn["bands"])
    assert levels.shape == made.log_mel.shape
    below_db = 20 / np.log(10) * (made.log_mel - made.log_mel.max())
    shown_db = QUIETEST_DB * (1 - levels / 255)
    np.testing.assert_allclose(shown_db, np.maximum(below_db, QUIETEST_DB), atol=-QUIETEST_DB / 255)


def test_curve_segments_and_masks_are_those_of_the_track(drawn):
    made = track()
    np.testing.assert_allclose(unpacked(drawn["probability"]) / 255, made.probability, atol=1 / 255)
    assert [each["label"] for each in drawn["segments"]] == ["instrumental", "vocal", "instrumental"]
    for said, each in zip(drawn["explanations"], made.explanations, strict=True):
        bits = np.unpackbits(unpacked(said["mask"]))[: each.mask.size]
        np.testing.assert_array_equal(bits.reshape(each.mask.shape), each.mask)
        assert said["seconds"] == pytest.approx(115 / 70)
    assert [each["standing"] for each in drawn["explanations"]] == ["fails", "holds", "doubtful"]


def test_the_waveform_lies_where_the_sound_does(drawn, song):
    shown = unpacked(drawn["waveform"], np.int8).reshape(-1, 2)
    assert shown.shape == (drawn["columns"], 2)
    loud = shown[:, 1] > 30
    assert loud[702:1398].all()
    assert not loud[:698].any()
    assert not loud[1402:].any()
    part = extremes(song, start_s=9.0, columns=140, columns_per_second=70)
    assert (part[:, 1] > 30).sum() == pytest.approx(70, abs=1)


def test_of_a_long_track_several_frames_share_a_column(song):
    made = track()
    times = 2 * MOST_COLUMNS // len(made.probability) + 1
    long = replace(made, probability=np.tile(made.probability, times), log_mel=np.tile(made.log_mel, (times, 1)))
    drawn = drawing(long, song)
    assert drawn["columns"] <= MOST_COLUMNS
    assert drawn["columns"] / drawn["columns_per_second"] == pytest.approx(long.end_s, abs=0.1)
    levels = unpacked(drawn["levels"]).reshape(drawn["columns"], drawn["bands"])
    share = -(-len(long.probability) // drawn["columns"])
    assert levels[0].max() == unpacked(drawing(made, song)["levels"]).reshape(-1, 80)[:share].max()


def test_a_recording_sounds_as_opus_where_it_did(song):
    samples, rate_hz, codec = decoded(recording(song, duration_s=30, most_bytes=2**20))
    assert (rate_hz, codec) == (48000, "opus")
    assert len(samples) / rate_hz == pytest.approx(30, abs=0.1)
    loudness = np.sqrt(np.mean(samples[: 29 * rate_hz].reshape(29, -1) ** 2, axis=1))
    np.testing.assert_allclose(loudness[10:20], 0.5 / np.sqrt(2), rtol=0.05)
    assert loudness[:10].max() < 0.01
    assert loudness[20:].max() < 0.01


def test_the_longer_a_recording_is_the_fewer_bits_it_gets_and_at_last_none(song):
    noise = np.random.default_rng(3).normal(0, 0.1, (RATE_HZ * 10, 2)).astype(np.float32)
    assert recording(song, duration_s=30, most_bytes=2**15) is None
    loud = song.with_name("noise.wav")
    loud.write_bytes(wav(noise, RATE_HZ))
    large, small = (len(recording(loud, duration_s=10, most_bytes=size)) for size in (2**20, 2**15))
    assert small < 0.6 * large


def test_what_cannot_be_decoded_here_has_no_player_and_no_waveform(tmp_path):
    path = tmp_path / "no sound.mp3"
    path.write_bytes(b"no sound" * 100)
    assert recording(path, duration_s=1, most_bytes=2**20) is None
    assert extremes(path, start_s=0, columns=10, columns_per_second=70) is None
    assert "No player" in track_page(track(listen=False), song=path)


def test_sound_that_is_missing_is_silence_and_what_follows_stays_where_it_is(tmp_path):
    """An Ogg file without the pages of its second quarter."""
    time_s = np.arange(20 * 48000) / 48000
    sound = np.sin(2 * np.pi * 300 * time_s) * (time_s >= 15)
    path = tmp_path / "gap.ogg"
    path.write_bytes(recording_of(sound.astype(np.float32), tmp_path))
    data = path.read_bytes()
    pages = re.split(b"(?=OggS)", data)[1:]
    path.write_bytes(b"".join([*pages[:4], *pages[8:]]))
    samples, rate_hz, _ = decoded(recording(path, duration_s=20, most_bytes=2**22))
    first = np.flatnonzero(np.abs(samples) > 0.3)[0] / rate_hz
    assert first == pytest.approx(15, abs=0.05)


def recording_of(sound, folder):
    path = folder / "whole.wav"
    path.write_bytes(wav(sound, 48000))
    return recording(path, duration_s=20, most_bytes=2**22)


def test_a_clip_keeps_its_length_and_its_sound():
    time_s = np.arange(36934) / RATE_HZ
    sound = (0.5 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    samples, rate_hz, codec = decoded(clip(Waveform(sound, RATE_HZ), gain=0.5))
    assert codec == "opus"
    assert len(samples) / rate_hz == pytest.approx(36934 / RATE_HZ, abs=0.03)
    assert np.sqrt(np.mean(samples[4800:-4800] ** 2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)


def test_excerpt_region_and_removed_are_loud_against_each_other_as_they_were(drawn):
    sounds = drawn["explanations"][1]["sounds"]
    assert list(sounds) == ["excerpt", "region", "removed"]
    levels = {}
    for name, address in sounds.items():
        assert address.startswith("data:audio/ogg;base64,")
        samples, _, _ = decoded(base64.b64decode(address.split(",")[1]))
        levels[name] = np.sqrt(np.mean(samples**2))
    gain = 10 ** (-25 / 20)
    assert levels["region"] / levels["excerpt"] == pytest.approx(0.5, rel=0.1)  # as the track's noise was made
    assert levels["removed"] / levels["excerpt"] == pytest.approx(1 + gain - 0.5, rel=0.1)


def test_a_page_needs_nothing_but_itself_and_holds_what_it_draws(song):
    text = track_page(track(), song=song)
    assert not re.search(r"""(src|href)=["']?(?!data:)\w""", text)
    found = re.search(r'<script type="application/json" id="drawing">(.*?)</script>', text, re.DOTALL)
    assert json.loads(found[1])["columns"] == 2100
    for part in ("a tone.wav", "of 2 explanations tried, 1 hold", "holds", "does not hold", "doubtful answer"):
        assert part in text


def test_a_track_without_explanations_sound_or_log_mel_has_a_page_too(song):
    bare = replace(
        track(),
        explanations=(),
        log_mel=None,
        summary=replace(
            track().summary, segments=(), relevance=(), most_trustworthy=(), least_trustworthy=(), complete=False
        ),
    )
    text = track_page(bare, song=song)
    assert "No moment was explained" in text
    assert "Time ran out" in text


def genres(**changes):
    """The track as a listener of three labels hears it: an excerpt a second."""
    made, names = track(**changes), np.array(["ballad", "dance", "hiphop"])
    shares = np.tile(np.array([[0.2, 0.5, 0.3]], np.float32), (30, 1))
    begun = replace(
        made.begun,
        frames_per_second=1.0,
        map_frames_per_second=70.0,
        threshold=0.0,
        decision_threshold=0.0,
        listener="tagger",
        labels=tuple(names),
    )
    explanations = tuple(replace(each, label="hiphop") for each in made.explanations)
    segments = (Segment(0.0, 30.0, "dance", 0.5, SegmentTrust(3, 3, 1, None)),)
    return replace(
        made,
        begun=begun,
        probability=shares.max(axis=1),
        explanations=explanations,
        summary=replace(made.summary, segments=segments, relevance=()),
        labels=names,
        label_probability=shares,
    )


def test_a_page_speaks_of_the_label_that_is_shown(song):
    made = genres()
    page, drawn = track_page(made, song=song), drawing(made, song)
    assert "Dance in" in page
    assert "Probability of dance; segments of dance below it." in page
    assert "the most probable of ballad, dance, hiphop" in page
    assert "singing" not in page
    assert "vocal from" not in page
    assert (drawn["about"], drawn["labels"]) == ("dance", ["ballad", "dance", "hiphop"])
    assert {each["about"] for each in drawn["explanations"]} == {"hiphop"}


def test_a_curve_of_excerpts_is_as_long_as_the_spectrogram(song):
    drawn = drawing(genres(), song)
    assert drawn["columns"] == 2100
    np.testing.assert_array_equal(unpacked(drawn["probability"]), np.full(2100, 128, np.uint8))
    assert drawn["columns_per_second"] == 70.0

"""A track cut as it comes, against the cuts of one that is known, and its excerpts against those of `Explain`."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.rpcs.predict import pieces
from phonoscope_serving.rpcs.track.reading import track_pieces
from phonoscope_serving.sound.audio import PcmAudio
from phonoscope_serving.sound.excerpt import excerpt_around
from phonoscope_serving.sound.opening import open_recording
from support.corpora.sound import music


def cut(samples, front_end, part, first_frame=0):
    parts = (samples[at : at + part] for at in range(0, len(samples), part))
    return list(track_pieces(parts, front_end, first_frame, tuple))


@pytest.mark.parametrize("part", [500, 22050, 10**6])
@pytest.mark.parametrize("seconds", [0.05, 1.0, 5.0, 12.3])
def test_pieces_are_those_of_a_recording_whose_length_is_known(bundle, seconds, part):
    samples, front_end = music(seconds), bundle.default.front_end
    expected = pieces(front_end.frames(len(samples)), front_end)
    found = cut(samples, front_end, part)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert (one.silence_before, one.silence_after) == (other.silence_before, other.silence_after)
        own = samples[other.first_sample : other.first_sample + other.samples]
        np.testing.assert_array_equal(one.sounding(front_end), own)


def test_every_excerpt_is_the_one_that_explain_takes(bundle):
    samples, front_end = music(11.3), bundle.default.front_end
    recording = open_recording(PcmAudio(samples.tobytes(), 22050, 1))
    for piece in cut(samples, front_end, 4096):
        for frame in {piece.first_frame, piece.first_frame + piece.frames // 2, piece.end_frame - 1}:
            expected = excerpt_around(recording, front_end, frame / front_end.frames_per_second)
            np.testing.assert_array_equal(piece.excerpt(frame, front_end), expected.samples[0])


@pytest.mark.parametrize(
    "front_end",
    [
        FrontEnd(11025, 512, 256, 173, 44100, ()),  # fewer samples than its frames span: what is beyond is padded
        FrontEnd(8000, 256, 128, 32, 32 * 128 + 128, ()),  # one frame more behind than before
        FrontEnd(16000, 512, 256, 187, 187 * 256 + 512, ()),  # more samples than its frames span
    ],
)
@pytest.mark.parametrize("first_frame", [0, 43])
def test_so_it_is_whatever_an_excerpt_is(front_end, first_frame):
    samples, rate_hz = music(19, front_end.sample_rate_hz), front_end.sample_rate_hz
    recording = open_recording(PcmAudio(samples.tobytes(), rate_hz, 1))
    parts = (samples[at : at + 3000] for at in range(0, len(samples), 3000))
    found = list(track_pieces(parts, front_end, first_frame, tuple, piece_s=172 / front_end.frames_per_second))
    assert found[0].first_frame == first_frame
    assert [each.frames for each in found[:-1]] == [172] * (len(found) - 1)
    assert found[-1].end_frame == front_end.frames(len(samples))
    for piece in found:
        for frame in {piece.first_frame, piece.first_frame + piece.frames // 2, piece.end_frame - 1}:
            expected = excerpt_around(recording, front_end, frame / front_end.frames_per_second)
            np.testing.assert_array_equal(piece.excerpt(frame, front_end), expected.samples[0])


def test_a_track_may_be_heard_from_anywhere_on(bundle):
    samples, front_end = music(14), bundle.default.front_end
    found = cut(samples, front_end, 3000, first_frame=500)
    assert found[0].first_frame == 500
    assert found[-1].end_frame == front_end.frames(len(samples))
    whole = {piece.first_frame: piece for piece in cut(samples, front_end, 3000)}[350]
    np.testing.assert_array_equal(found[0].excerpt(510, front_end), whole.excerpt(510, front_end))


def test_what_is_shorter_than_a_frame_is_refused(bundle):
    with pytest.raises(InvalidRequest, match="before one frame"):
        cut(music(0.03), bundle.default.front_end, 100)


def test_what_was_heard_is_forgotten(bundle):
    """The memory of an hour is that of a minute: samples are counted while they are there."""
    minute, held = music(60), []

    def parts(minutes):
        for _ in range(minutes):
            for at in range(0, len(minute), 22050):
                yield minute[at : at + 22050].copy()

    for minutes in (1, 20):
        tracemalloc.start()
        for _ in track_pieces(parts(minutes), bundle.default.front_end, 0, tuple):
            pass
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert held[1] < 1.5 * held[0]

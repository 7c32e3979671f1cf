"""Sound decoded as it comes, against the same file read whole."""

from __future__ import annotations

import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import EncodedAudio, never
from phonoscope_serving.sound.flowing.chunks import ChunkFile
from phonoscope_serving.sound.flowing.file import FileFlow
from phonoscope_serving.sound.flowing.flow import MonoFlow
from phonoscope_serving.sound.flowing.pcm import PcmFlow
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.resampling import whole
from phonoscope_serving.sound.warning import WarningKind
from support.corpora.sound import encoded, music


def chunked(content, size=5000):
    pieces = iter([content[at : at + size] for at in range(0, len(content), size)])
    return ChunkFile(lambda: next(pieces, None))


def flowing(content, rate_hz=22050, size=5000):
    flow = MonoFlow(FileFlow(chunked(content, size), "chunk", never))
    return np.concatenate(list(flow.at_rate(rate_hz))), flow


@pytest.mark.parametrize("container", ["WAV", "FLAC", "OGG", "AIFF", "MP3"])
@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000])
@pytest.mark.parametrize("size", [997, 1 << 18])
def test_a_file_sounds_the_same_as_it_comes_and_read_whole(container, rate_hz, size):
    content = encoded(np.stack([music(12.5, rate_hz), music(12.5, rate_hz, seed=1)], 1), rate_hz, container)
    expected = whole(open_recording(EncodedAudio(content)), 22050)
    found, flow = flowing(content, size=size)
    padding = 0 if container != "MP3" else round(0.05 * 22050)  # what an encoder adds at the end is not told in time
    assert 0 <= len(found) - len(expected) <= padding
    np.testing.assert_allclose(found[: len(expected) - padding], expected[: len(expected) - padding], atol=1e-3)
    assert flow.warnings == ()


def test_sound_that_is_damaged_is_silent_where_it_is_and_warned_of():
    content = bytearray(encoded(music(20, 44100), 44100, "FLAC"))
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    found, flow = flowing(bytes(content))
    assert len(found) == pytest.approx(20 * 22050, abs=22050)
    (warning, *_) = flow.warnings
    assert warning.kind in (WarningKind.GAP, WarningKind.DAMAGED)
    assert 8 < warning.start_s < 12


def test_samples_may_lie_across_two_chunks_and_channels_that_cancel_are_heard():
    left = music(11)
    samples = np.stack([left, -left], 1).tobytes()
    flow = MonoFlow(PcmFlow(chunked(samples, 1001), 22050, 2, "chunk", never))
    found = np.concatenate(list(flow.at_rate(22050)))
    assert len(found) == len(left)
    assert np.sqrt(np.mean(found**2)) > 0.5 * np.sqrt(np.mean(left**2))
    assert [each.kind for each in flow.warnings] == [WarningKind.CANCELLING_CHANNELS]


def test_what_is_no_sound_is_refused_in_words():
    for content in (b"", b"nothing" * 1000):
        with pytest.raises(InvalidRequest, match="not audio that can be read as it comes"):
            flowing(content)


def test_an_error_of_whoever_sends_arrives_as_it_is():
    def broken():
        raise InvalidRequest.at("chunk", "is wrong")

    with pytest.raises(InvalidRequest, match="is wrong"):
        FileFlow(ChunkFile(broken), "chunk", never)

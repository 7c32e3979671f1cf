"""Files made to cost more than sound does: refused before they cost it."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from phonoscope_serving.errors import InvalidRequest
from support.corpora.sound_files import coded, heard, opened, song

RATE_HZ = 48000


def crowded(codec, container, packet_bytes):
    """A file whose packets hold one frame of silence over and over, though their time stamps leave room for one."""
    frames = [bytes(frame) for frame in silence(codec)]
    file = io.BytesIO()
    with av.open(file, "w", container) as output:
        stream = output.add_stream(codec, RATE_HZ)
        stream.layout = "mono"
        stream.codec_context.open()
        for number in range(4):
            packet = av.Packet(frames[3] * (packet_bytes // len(frames[3])))
            packet.stream, packet.time_base = stream, Fraction(1, RATE_HZ)
            packet.pts = packet.dts = 1024 * number
            packet.duration = 1024
            output.mux(packet)
    return file.getvalue()


def silence(codec):
    """A second of it, in packets."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "fltp"
    frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE_HZ), np.float32), "fltp", "mono")
    frame.sample_rate = RATE_HZ
    return [*encoder.encode(frame), *encoder.encode(None)]


@pytest.mark.parametrize(("codec", "container"), [("aac", "matroska"), ("ac3", "matroska"), ("aac", "ipod")])
def test_a_packet_crowded_with_frames_is_refused_before_it_is_decoded(codec, container):
    content = crowded(codec, container, 4 << 20)
    with pytest.raises(InvalidRequest, match=r"holds a packet of \d+ bytes; at most 65536 are accepted"):
        opened(content)


def test_a_few_frames_in_one_packet_are_heard():
    _, samples = heard(crowded("ac3", "matroska", 600))
    assert len(samples) > 3 * 1024


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("avi", "pcm_s16le"),
        ("flv", "aac"),
        ("nut", "pcm_s16le"),
        ("au", "pcm_s16be"),
        ("asf", "pcm_s16le"),
        ("rm", "ac3"),
        ("tta", "tta"),
        ("wv", "wavpack"),
        ("voc", "pcm_u8"),
        ("swf", "libmp3lame"),
    ],
)
def test_containers_that_were_not_asked_for_are_refused(container, codec):
    with pytest.raises(InvalidRequest, match="is not audio that can be read"):
        opened(coded(song(2), 44100, container, codec))

"""Sound as Opus in Ogg (RFC 7845), which browsers play and which is small enough for a page."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

from phonoscope_client.errors import InvalidInputError
from phonoscope_client.results.parts import Floats, Waveform
from phonoscope_client.transport.decoding import Stretch, stretches

RATE_HZ = 48000  # Opus' own
BIT_RATE = 64000  # bits a second: music, for most people, as it was
LEAST_BIT_RATE = 16000  # below, it says little about what was heard
CLIP_BIT_RATE = 32000  # of one channel
_FRAME_SAMPLES = 960  # 20 ms
_EFFORT = "5"  # of 10: in half the time, and hardly anybody hears it
_LONGEST_SILENCE = 2**20  # samples at a time, of what is missing

Frame = tuple[Floats, int, str]  # samples `[N, C]`, their rate, and where each channel is heard


def clip(sound: Waveform, *, gain: float = 1.0) -> bytes:
    """A short sound, made louder or softer by a gain; what exceeds full scale is clipped."""
    samples = np.clip(sound.samples * np.float32(gain), -1, 1, dtype=np.float32)
    return _encoded([(samples[:, None], sound.sample_rate_hz, "mono")], "mono", CLIP_BIT_RATE)


def recording(song: Path, *, duration_s: float, most_bytes: int) -> bytes | None:
    """A recording, of two channels where it has several, each moment where it is; silence where some is missing.

    Args:
        song: its file.
        duration_s: how long it is, about.
        most_bytes: how much room there is; the longer it is, the fewer bits a second has.

    Returns:
        None where there is too little room for it, or nothing in it that can be decoded here.
    """
    bit_rate = min(BIT_RATE, int(8 * most_bytes / max(duration_s, 1)))
    if bit_rate < LEAST_BIT_RATE:
        return None
    try:
        found = stretches(song)
        first = next(found, None)
        if first is None:
            return None
        layout = "mono" if first.samples.shape[1] == 1 else "stereo"
        return _encoded(_without_gaps(first, found), layout, bit_rate)
    except InvalidInputError:
        return None


def _without_gaps(first: Stretch, others: Iterable[Stretch]) -> Iterator[Frame]:
    """Stretches one behind the other from 0 on, silence where there is none and each sample once."""
    reached = 0
    for each in chain([first], others):
        yield from _placed(each, reached)
        reached = max(reached, each.first + len(each.samples))


def _placed(stretch: Stretch, reached: int) -> Iterator[Frame]:
    channels = stretch.samples.shape[1]
    missing = stretch.first - reached
    while missing > 0:
        silent = min(missing, _LONGEST_SILENCE)
        yield np.zeros((silent, channels), np.float32), stretch.sample_rate_hz, stretch.layout
        missing -= silent
    rest = stretch.samples[max(0, reached - stretch.first) :]
    if len(rest):
        yield rest, stretch.sample_rate_hz, stretch.layout


def _encoded(frames: Iterable[Frame], layout: str, bit_rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout=layout, options={"compression_level": _EFFORT})
        assert isinstance(stream, AudioStream)
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE_HZ, frame_size=_FRAME_SAMPLES)
        for samples, rate_hz, heard in frames:
            for frame in resampler.resample(_frame(samples, rate_hz, heard)):
                container.mux(stream.encode(frame))
        for last in (*resampler.resample(None), None):
            container.mux(stream.encode(last))
    return file.getvalue()


def _frame(samples: npt.NDArray[np.float32], rate_hz: int, layout: str) -> av.AudioFrame:
    interleaved = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
    frame.sample_rate = rate_hz
    return frame

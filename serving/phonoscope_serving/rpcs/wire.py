"""Arrays, axes and warnings as messages of the contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from phonoscope.v1 import audio_pb2, time_frequency_pb2

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

LITTLE_ENDIAN, HALF = np.dtype("<f4"), np.dtype("<f2")
LARGEST_HALF = float(np.finfo(HALF).max)


def wants_half(request: Any) -> bool:  # noqa: ANN401 - any request that has the field
    """Whether the maps of its answer are to be written in two bytes a value."""
    return bool(request.map_precision == time_frequency_pb2.MAP_PRECISION_FLOAT16)


def time_frequency_map(values: Floats, *, half: bool = False) -> time_frequency_pb2.TimeFrequencyMap:
    """A picture `[T, M]`, in two bytes a value where `half`."""
    frames, bands = values.shape
    if not half:
        return time_frequency_pb2.TimeFrequencyMap(frames=frames, bands=bands, values=_bytes(values))
    return time_frequency_pb2.TimeFrequencyMap(
        frames=frames,
        bands=bands,
        values=values.clip(-LARGEST_HALF, LARGEST_HALF).astype(HALF).tobytes(),
        precision=time_frequency_pb2.MAP_PRECISION_FLOAT16,
    )


def axes(front_end: FrontEnd, start_s: float = 0.0) -> time_frequency_pb2.TimeFrequencyAxes:
    """Where the frames and bands of pictures lie whose first frame starts at `start_s` of the recording."""
    return time_frequency_pb2.TimeFrequencyAxes(
        start_s=start_s, frames_per_second=front_end.frames_per_second, band_centre_hz=front_end.band_centre_hz
    )


def waveform(samples: Floats | None, sample_rate_hz: int) -> audio_pb2.Waveform | None:
    """Mono sound `[N]`; None where there is none."""
    return None if samples is None else audio_pb2.Waveform(samples=_bytes(samples), sample_rate_hz=sample_rate_hz)


def sound_warnings(warnings: Iterable[SoundWarning]) -> list[audio_pb2.SoundWarning]:
    """What is wrong with a recording; kinds have the contract's names."""
    return [
        audio_pb2.SoundWarning(
            kind=f"SOUND_WARNING_KIND_{warning.kind.name}",
            start_s=warning.start_s,
            end_s=warning.end_s,
            sentence=warning.sentence,
        )
        for warning in warnings
    ]


def _bytes(values: Floats) -> bytes:
    return values.astype(LITTLE_ENDIAN, copy=False).tobytes()

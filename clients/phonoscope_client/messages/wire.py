"""Messages that several answers share, as results."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message
from phonoscope.v1 import audio_pb2, bundle_reference_pb2, time_frequency_pb2

from phonoscope_client.errors import ServiceError
from phonoscope_client.results.parts import Axes, BundleReference, Floats, Waveform


def axes(message: time_frequency_pb2.TimeFrequencyAxes, start_s: int) -> Axes:
    """Where frames and bands lie, in a recording of which the section from `start_s` was sent."""
    return Axes(
        start_s=start_s + message.start_s,
        frames_per_second=message.frames_per_second,
        band_centre_hz=np.array(message.band_centre_hz, np.float32),
    )


def bundle_reference(message: bundle_reference_pb2.BundleReference) -> BundleReference:
    """The bundle that answered."""
    return BundleReference(message.name, message.digest)


def time_frequency_map(message: time_frequency_pb2.TimeFrequencyMap) -> Floats:
    """A picture `[T, M]`.

    Raises:
        ServiceError: it has another size than it says.
    """
    values = np.frombuffer(message.values, "<f4")
    if values.size != message.frames * message.bands:
        raise ServiceError(
            f"the service sent {values.size} values for {message.frames} frames of {message.bands} bands"
        )
    return values.reshape(message.frames, message.bands)


def waveform(message: Message, field: str) -> Waveform | None:
    """The sound in a field of a message; None where there is none."""
    if not message.HasField(field):
        return None
    sound: audio_pb2.Waveform = getattr(message, field)
    return Waveform(np.frombuffer(sound.samples, "<f4"), sound.sample_rate_hz)


def decimal(value: float) -> float:
    """The shortest decimal that names a float32: 0.6 where float64 would say 0.6000000238418579."""
    return float(str(np.float32(value)))

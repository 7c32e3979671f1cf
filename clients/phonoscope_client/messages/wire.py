"""Messages that several answers share, as results."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from google.protobuf.message import Message
from phonoscope.v1 import audio_pb2, bundle_reference_pb2, explanation_pb2, time_frequency_pb2

from phonoscope_client import arguments
from phonoscope_client.errors import ServiceError
from phonoscope_client.results.parts import (
    Axes,
    BundleReference,
    Floats,
    Label,
    MapPrecision,
    SoundWarning,
    SoundWarningKind,
    Waveform,
)
from phonoscope_client.transport.audio import Section

LABELS: dict[int, Label] = {
    explanation_pb2.LABEL_VOCAL: "vocal",
    explanation_pb2.LABEL_INSTRUMENTAL: "instrumental",
}
_PRECISIONS: dict[MapPrecision, time_frequency_pb2.MapPrecision] = {
    "float32": time_frequency_pb2.MAP_PRECISION_UNSPECIFIED,  # as services of before know it, too
    "float16": time_frequency_pb2.MAP_PRECISION_FLOAT16,
}
_WRITTEN: dict[int, str] = {
    time_frequency_pb2.MAP_PRECISION_UNSPECIFIED: "<f4",
    time_frequency_pb2.MAP_PRECISION_FLOAT32: "<f4",
    time_frequency_pb2.MAP_PRECISION_FLOAT16: "<f2",
}
_MISSING = "Some of the sound is missing or damaged and could not be decoded; there is silence in its place."
_WARNING_KINDS: dict[int, SoundWarningKind] = {
    audio_pb2.SOUND_WARNING_KIND_TRUNCATED: "truncated",
    audio_pb2.SOUND_WARNING_KIND_GAP: "gap",
    audio_pb2.SOUND_WARNING_KIND_DAMAGED: "damaged",
    audio_pb2.SOUND_WARNING_KIND_SEVERAL_STREAMS: "several_streams",
    audio_pb2.SOUND_WARNING_KIND_NARROW_BAND: "narrow_band",
    audio_pb2.SOUND_WARNING_KIND_CANCELLING_CHANNELS: "cancelling_channels",
    audio_pb2.SOUND_WARNING_KIND_CLIPPED: "clipped",
    audio_pb2.SOUND_WARNING_KIND_UNUSUAL_SCALE: "unusual_scale",
}


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


def precision(name: str) -> time_frequency_pb2.MapPrecision:
    """How the maps of an answer are to be written.

    Raises:
        InvalidInputError: there is no such precision.
    """
    return arguments.choice("map_precision", name, _PRECISIONS)


def time_frequency_map(message: time_frequency_pb2.TimeFrequencyMap) -> Floats:
    """A picture `[T, M]`, float32 however it was written.

    Raises:
        ServiceError: it has another size than it says, or is written in a way that is not known here.
    """
    if message.precision not in _WRITTEN:
        raise ServiceError("the service wrote a map in a precision this client does not know")
    values = np.frombuffer(message.values, _WRITTEN[message.precision]).astype(np.float32, copy=False)
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


def sound_warnings(
    messages: Iterable[audio_pb2.SoundWarning], section: Section | None = None
) -> tuple[SoundWarning, ...]:
    """What is wrong with a recording; kinds that are not known here are "other".

    Args:
        messages: what the service found.
        section: what was sent of the recording, where not all of it was, and with what could not be decoded here.
    """
    start_s, missing_s = (section.start_s, section.missing_s) if section else (0, None)
    told = [
        SoundWarning(
            kind=_WARNING_KINDS.get(each.kind, "other"),
            start_s=start_s + each.start_s,
            end_s=start_s + each.end_s,
            sentence=each.sentence,
        )
        for each in messages
    ]
    return tuple(told if missing_s is None else [SoundWarning("damaged", *missing_s, _MISSING), *told])


def decimal(value: float) -> float:
    """The shortest decimal that names a float32: 0.6 where float64 would say 0.6000000238418579."""
    return float(str(np.float32(value)))

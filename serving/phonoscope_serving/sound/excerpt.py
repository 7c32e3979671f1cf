"""The excerpt around one moment of a recording: what a question about a moment is asked of."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import InvalidRequest, OutOfRange
from phonoscope_serving.sound.audio import Recording, peak
from phonoscope_serving.sound.resampling import samples_at, section
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

SILENT_PEAK = 1e-5  # below the last bit of 16-bit audio: nothing to point at


@dataclass(frozen=True)
class Excerpt:
    """As much sound as the detector hears at once."""

    at_s: float  # start of the frame in its middle
    start_s: float  # its own start; negative where it begins before the recording
    samples: Floats  # `[1, N]` at the front-end's rate
    warnings: tuple[SoundWarning, ...] = ()  # of the recording, as far as it was read


def excerpt_around(recording: Recording, front_end: FrontEnd, at_s: float) -> Excerpt:
    """The excerpt around the frame nearest to a moment; silence beyond the recording's ends.

    Args:
        recording: what to read.
        front_end: what an excerpt is.
        at_s: the moment, in seconds from the recording's start.

    Raises:
        OutOfRange: the moment lies outside the recording.
        InvalidRequest: the excerpt is digital silence, or see `Recording.blocks` and `require_frame`.
    """
    require_frame(recording, front_end)
    duration_s = recording.samples / recording.sample_rate_hz
    if not 0 <= at_s <= duration_s:
        raise OutOfRange("at_s", f"is {at_s:g} s; the recording lasts {duration_s:.3f} s")
    frames = front_end.frames(samples_at(recording, front_end.sample_rate_hz))
    frame = min(round(at_s * front_end.frames_per_second), frames - 1)
    first = frame - front_end.context_frames
    samples = section(recording, front_end.sample_rate_hz, first * front_end.hop_samples, front_end.excerpt_samples)
    if peak(samples) < SILENT_PEAK:
        raise InvalidRequest.at(
            "audio", f"is silent around at_s: no sample of the excerpt exceeds {SILENT_PEAK:g}; nothing to point at"
        )
    at_s, start_s = frame / front_end.frames_per_second, first / front_end.frames_per_second
    return Excerpt(at_s, start_s, samples[None], recording.warnings)


def require_frame(recording: Recording, front_end: FrontEnd) -> None:
    """Refuses a recording shorter than one frame.

    Raises:
        InvalidRequest: it is.
    """
    if samples_at(recording, front_end.sample_rate_hz) < front_end.frame_samples:
        seconds, least_s = (
            recording.samples / recording.sample_rate_hz,
            front_end.frame_samples / front_end.sample_rate_hz,
        )
        raise InvalidRequest.at(
            recording.field, f"lasts {seconds:.4f} s; at least one frame, {least_s:.4f} s, is needed"
        )

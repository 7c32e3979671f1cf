"""From what a caller handed over to a recording: by the reader that suits it, and what lies joined in it as one."""

from __future__ import annotations

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import LIMITS, AudioLimits, AudioSource, Pause, PcmAudio, Recording, never
from phonoscope_serving.sound.channels import Channels, PcmChannels
from phonoscope_serving.sound.files import wave
from phonoscope_serving.sound.files.coded_file import CodedFile
from phonoscope_serving.sound.files.parts import parts
from phonoscope_serving.sound.joined import JoinedRecording
from phonoscope_serving.sound.mono import MonoRecording
from phonoscope_serving.sound.warning import SoundWarning, WarningKind


def open_recording(
    source: AudioSource, field: str = "audio", limits: AudioLimits = LIMITS, pause: Pause = never
) -> Recording:
    """Opens a source, checks what its header says, and listens to a little of it.

    Args:
        source: the sound as it came.
        field: path of the request's field that holds it.
        limits: what is taken on.
        pause: called between two pieces of work, now and while it is read.

    Raises:
        InvalidRequest: it is empty, not audio, or outside a limit.
    """
    if isinstance(source, PcmAudio):
        return _heard(PcmChannels(source, f"{field}.pcm.samples", pause), limits)
    field = f"{field}.encoded"
    places = parts(source.content)
    recordings: list[Recording] = []
    unread: list[SoundWarning] = []
    seconds = 0.0
    while places:
        if len(recordings) + len(places) > limits.max_parts:
            raise InvalidRequest.at(field, f"holds more than {limits.max_parts} recordings; so many are accepted")
        pause()
        first, end = places.pop(0)
        part = source.content[first:end]
        try:
            channels = _channels(part, field, limits, pause)
            if isinstance(channels, CodedFile) and channels.ends_at is not None:
                behind = first + channels.ends_at
                later = ((behind + start, behind + stop) for start, stop in parts(source.content[behind:end]))
                places[:0] = [(first, behind), *later]
                continue
            recordings.append(_heard(channels, limits))
        except InvalidRequest as error:
            if not recordings:
                raise
            reason = error.violations[0].description
            sentence = (
                f"The {len(part)} bytes from byte {first} of the file on cannot be heard: what is there {reason}."
            )
            unread.append(SoundWarning(WarningKind.DAMAGED, seconds, seconds, sentence))
            continue
        seconds += channels.samples / channels.sample_rate_hz
        limits.check_length(seconds, field)
    return recordings[0] if len(recordings) == 1 and not unread else JoinedRecording(recordings, unread)


def _channels(content: bytes, field: str, limits: AudioLimits, pause: Pause) -> Channels:
    """One recording's file, by libsndfile where that is exact and faster, else by FFmpeg."""
    header = wave.read_header(content) if wave.is_wave(content) else None
    if header and header.format_tag in wave.READ_HERE:
        limits.check_format(header.sample_rate_hz, header.channels, field)
        try:
            return wave.WaveFile(content, header, field, pause)
        except InvalidRequest:
            pass  # players take more than libsndfile does
    return CodedFile(content, field, limits, pause)


def _heard(channels: Channels, limits: AudioLimits) -> Recording:
    if channels.samples == 0:
        raise InvalidRequest.at(channels.field, "holds no samples")
    limits.check_length(channels.samples / channels.sample_rate_hz, channels.field)
    limits.check_values(channels.samples, len(channels.speakers), channels.field)
    return MonoRecording(channels, limits)

"""Short files of sound in every kind the service takes, to be damaged."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import av
import numpy as np
import soundfile
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Frames = NDArray[np.float32]
RATE_HZ, RATE_OF_OPUS_HZ = 22_050, 48_000


def files(seconds: float) -> dict[str, bytes]:
    """A file of each format: the same voice-like sound in stereo, in mono where a codec knows no more.

    Args:
        seconds: how long each lasts.
    """
    return {name: make(seconds) for name, make in FORMATS.items()}


def sound(seconds: float, sample_rate_hz: int, channels: int) -> Frames:
    """A gliding tone with overtones over noise, `[N, C]`, differing between channels."""
    at_s = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    turns = np.cumsum(220 * 2 ** np.sin(2 * np.pi * 0.7 * at_s)) / sample_rate_hz
    voice = sum(np.sin(2 * np.pi * overtone * turns) / overtone for overtone in range(1, 9))
    noise = np.random.default_rng(0).normal(0, 0.02, (len(at_s), channels))
    return np.asarray(0.2 * np.outer(voice, 0.5 ** np.arange(channels)) + noise, np.float32)


def by_libsndfile(seconds: float, container: str, subtype: str, channels: int = 2) -> bytes:
    """A file that libsndfile writes, by its own names of container and codec."""
    file = io.BytesIO()
    soundfile.write(file, sound(seconds, RATE_HZ, channels), RATE_HZ, subtype, format=container)
    return file.getvalue()


def by_ffmpeg(
    seconds: float, container: str, codec: str, *, sample_rate_hz: int = RATE_HZ, layout: str = "stereo"
) -> bytes:
    """A file that FFmpeg writes, by its own names of container, codec and layout of channels."""
    file = io.BytesIO()
    with av.open(file, "w", container) as output:
        stream = output.add_stream(codec, sample_rate_hz, layout=layout)
        assert isinstance(stream, AudioStream)
        samples = sound(seconds, sample_rate_hz, stream.channels)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", layout)
        frame.sample_rate = sample_rate_hz
        for part in (frame, None):
            output.mux(stream.encode(part))
    return file.getvalue()


def repacked(seconds: float, container: str) -> bytes:
    """The same frames of FLAC in another container: FFmpeg's encoder tells of itself too late for it."""
    file = io.BytesIO()
    flac = io.BytesIO(by_libsndfile(seconds, "FLAC", "PCM_16"))
    with av.open(flac, "r") as source, av.open(file, "w", container) as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    return file.getvalue()


def chained(seconds: float) -> bytes:
    """Two recordings in one Ogg file, one behind the other."""
    return by_libsndfile(seconds / 2, "OGG", "VORBIS") + by_ffmpeg(
        seconds / 2, "ogg", "opus", sample_rate_hz=RATE_OF_OPUS_HZ
    )


FORMATS: dict[str, Callable[[float], bytes]] = {
    "wav-pcm16": partial(by_libsndfile, container="WAV", subtype="PCM_16"),
    "wav-pcm24": partial(by_libsndfile, container="WAVEX", subtype="PCM_24", channels=6),
    "wav-float": partial(by_libsndfile, container="WAV", subtype="FLOAT"),
    "wav-ima-adpcm": partial(by_libsndfile, container="WAV", subtype="IMA_ADPCM"),
    "wav-ms-adpcm": partial(by_libsndfile, container="WAV", subtype="MS_ADPCM"),
    "wav-gsm": partial(by_libsndfile, container="WAV", subtype="GSM610", channels=1),
    "wav-g721": partial(by_libsndfile, container="WAV", subtype="G721_32", channels=1),
    "rf64": partial(by_libsndfile, container="RF64", subtype="PCM_16"),
    "w64": partial(by_libsndfile, container="W64", subtype="PCM_16"),
    "aiff": partial(by_libsndfile, container="AIFF", subtype="PCM_24"),
    "caf": partial(by_libsndfile, container="CAF", subtype="PCM_16"),
    "caf-alac": partial(by_ffmpeg, container="caf", codec="alac"),
    "flac": partial(by_libsndfile, container="FLAC", subtype="PCM_16"),
    "flac-pipe": partial(by_ffmpeg, container="flac", codec="flac"),
    "mp3": partial(by_ffmpeg, container="mp3", codec="libmp3lame"),
    "mp2": partial(by_ffmpeg, container="mp2", codec="mp2"),
    "aac-adts": partial(by_ffmpeg, container="adts", codec="aac"),
    "m4a": partial(by_ffmpeg, container="ipod", codec="aac"),
    "m4a-alac": partial(by_ffmpeg, container="ipod", codec="alac"),
    "ogg-vorbis": partial(by_libsndfile, container="OGG", subtype="VORBIS"),
    "ogg-opus": partial(by_ffmpeg, container="ogg", codec="libopus", sample_rate_hz=RATE_OF_OPUS_HZ),
    "ogg-flac": partial(repacked, container="ogg"),
    "ogg-chained": chained,
    "webm-opus": partial(by_ffmpeg, container="webm", codec="libopus", sample_rate_hz=RATE_OF_OPUS_HZ),
    "mka-flac": partial(repacked, container="matroska"),
    "mka-mp3": partial(by_ffmpeg, container="matroska", codec="libmp3lame"),
}

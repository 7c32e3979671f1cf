"""Sound made for tests, and the files callers would send it in."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from phonoscope.v1 import audio_pb2


def music(seconds, rate_hz=22050, seed=0):
    """Gliding harmonics over a little noise: something in every band, different at every moment."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = 220 + 60 * np.sin(2 * np.pi * 0.7 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    harmonics = sum(np.sin(k * phase) / k for k in range(1, 8))
    noise = np.random.default_rng(seed).normal(0, 0.02, len(time_s))
    return (0.2 * harmonics * (1 + 0.5 * np.sin(2 * np.pi * 3 * time_s)) + noise).astype(np.float32)


def encoded(samples, rate_hz, container="WAV", subtype=None):
    """The bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


def pcm(samples, rate_hz=22050, channels=1):
    """An Audio message of float32 samples."""
    content = np.asarray(samples, "<f4").tobytes()
    return audio_pb2.Audio(pcm=audio_pb2.PcmAudio(samples=content, sample_rate_hz=rate_hz, channels=channels))


def file(content):
    """An Audio message of a file."""
    return audio_pb2.Audio(encoded=content)

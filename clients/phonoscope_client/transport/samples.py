"""Samples as callers hand them in, and as they are packed to be sent."""

from __future__ import annotations

import struct
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from phonoscope.v1 import audio_pb2

from phonoscope_client.arguments import shown, whole_number
from phonoscope_client.errors import invalid

Samples = npt.NDArray[np.floating[Any]]

MAX_CHANNELS = 32  # `Audio` in audio.proto
_PAIR = "(samples, sample_rate_hz)"
_FLOATS = "floating point, nominally in [-1, 1]"
_EXTENSIBLE, _FLOAT_FORMAT = 0xFFFE, bytes.fromhex("0300000000001000800000aa00389b71")


def checked(pair: tuple[Any, ...]) -> tuple[Samples, int]:
    """Samples as `[N, C]` and their rate, of what a caller hands in.

    Raises:
        InvalidInputError: they are of no kind that can be sent.
    """
    if len(pair) != 2:
        raise invalid("audio", f"a tuple of {len(pair)}; give {_PAIR}")
    given, rate = pair
    if isinstance(given, Real) and not isinstance(rate, Real):
        raise invalid("audio", f"the sample rate comes first; give {_PAIR}")
    sample_rate_hz = whole_number("sample_rate_hz", rate, 1, 2**32, "a positive whole number of samples per second")
    try:
        samples = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise invalid("samples", f"they make no array ({error}); give {_FLOATS}") from error
    _check_kind(samples)
    return samples.reshape(len(samples), -1), sample_rate_hz


def pcm(samples: Samples, sample_rate_hz: int) -> audio_pb2.PcmAudio:
    """Samples `[N, C]` as they are sent.

    Raises:
        InvalidInputError: one is not finite.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        sent = np.ascontiguousarray(samples, "<f4")
    if not np.isfinite(sent).all():
        first = int(np.argmin(np.isfinite(sent).all(axis=1)))
        raise invalid("samples", f"sample {first} is {shown(samples[first].tolist())}; give finite numbers")
    return audio_pb2.PcmAudio(samples=sent.tobytes(), sample_rate_hz=sample_rate_hz, channels=samples.shape[1])


def wave(samples: npt.NDArray[np.float32], sample_rate_hz: int, speaker_mask: int) -> bytes:
    """Samples `[N, C]` as a WAV file that says where each channel is heard.

    Args:
        samples: float32.
        sample_rate_hz: samples per second and channel.
        speaker_mask: bits of loudspeakers, as WAV files write them; 0 where nothing says it.
    """
    data, channels = np.ascontiguousarray(samples, "<f4").tobytes(), samples.shape[1]
    rates = struct.pack("<HIIHH", channels, sample_rate_hz, 4 * channels * sample_rate_hz, 4 * channels, 32)
    extension = struct.pack("<HHI16s", 22, 32, speaker_mask, _FLOAT_FORMAT)
    chunk = struct.pack("<H", _EXTENSIBLE) + rates + extension
    sizes = struct.pack("<4sI4s4sI", b"RIFF", 20 + len(chunk) + len(data), b"WAVE", b"fmt ", len(chunk))
    return b"".join((sizes, chunk, struct.pack("<4sI", b"data", len(data)), data))


def _check_kind(samples: npt.NDArray[Any]) -> None:
    if np.issubdtype(samples.dtype, np.integer):
        advice = "divide by their full scale, 32768 for 16 bits"
        raise invalid("samples", f"{samples.dtype} values; give {_FLOATS}: {advice}")
    if not np.issubdtype(samples.dtype, np.floating):
        raise invalid("samples", f"{samples.dtype} values; give {_FLOATS}")
    shape = samples.shape
    if len(shape) not in {1, 2} or (len(shape) == 2 and not 1 <= shape[1] <= MAX_CHANNELS):
        expected = f"[samples] or [samples, channels] with 1 to {MAX_CHANNELS} channels"
        turned = len(shape) == 2 and shape[0] <= MAX_CHANNELS < shape[1]
        advice = ": samples.T, if these are [channels, samples]" if turned else ""
        raise invalid("samples", f"shape {shape}; give {expected}{advice}")
    if not samples.size:
        raise invalid("samples", "there are none; give at least one")

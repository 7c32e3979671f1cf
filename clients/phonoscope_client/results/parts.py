"""What answers to different questions are made of alike: the bundle that answered, sound, the axes of maps."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

Label = Literal["vocal", "instrumental"]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BundleReference:
    """The bundle that answered.

    Attributes:
        name: name and version.
        digest: SHA-256 over the bundle's files, lower-case hexadecimal.
    """

    name: str
    digest: str


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class Waveform:
    """Mono sound.

    Attributes:
        samples: `[N]` float32.
        sample_rate_hz: samples per second.
    """

    samples: Floats
    sample_rate_hz: int


@dataclass(frozen=True, eq=False)
class Axes:
    """Where the frames and bands of an explanation's maps lie.

    Attributes:
        start_s: start of the first frame, in seconds of the recording; negative before its beginning.
        frames_per_second: frames per second.
        band_centre_hz: `[M]` float32, centre frequency of each mel band, ascending.
    """

    start_s: float
    frames_per_second: float
    band_centre_hz: Floats


def wav(samples: npt.NDArray[np.float32], sample_rate_hz: int, *, gain: float = 1.0) -> bytes:
    """A 16-bit mono WAV file of `[N]` samples times `gain`; what exceeds full scale is clipped."""
    file = io.BytesIO()
    soundfile.write(file, samples * np.float32(gain), sample_rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()

"""A front-end as parameters: what networks from elsewhere say of how they are given sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import OptionsError

Window = Literal["hann", "hann-symmetric", "hamming", "hamming-symmetric", "rectangular"]
Scale = Literal["slaney", "htk", "linear"]  # linear: the Fourier bins themselves
Norm = Literal["area", "sum", "none"]  # what makes wide filters no louder: their width in Hz, their own sum, nothing
Compression = Literal["none", "ln", "log10", "db"]
Padding = Literal["none", "reflect", "zeros"]  # of a recording's ends, so that frame 0 has its middle at sample 0
Rounding = Literal["none", "float16"]  # of the bands, before the logarithm
MIN_LOG_HZ, HZ_PER_MEL, MELS_PER_E = 1000.0, 200 / 3, 27 / np.log(6.4)  # Slaney's Auditory Toolbox (1998)


@dataclass(frozen=True, slots=True)
class FrontendParameters:
    """Samples to pictures, described completely.

    A picture is `gain · log(offset + slope · max(band, floor)) + shift`; without a logarithm, `gain · band + shift`.
    """

    sample_rate_hz: int = 22_050
    window_samples: int = 1024
    fft_samples: int = 1024  # from the window's on, of which the window is the middle
    hop_samples: int = 512
    window: Window = "hann"
    power: int = 2  # of the magnitude: 2 for energy, 1 for the magnitude itself
    scale: Scale = "slaney"
    norm: Norm = "area"
    bands: int = 128  # of a linear scale: fft_samples // 2 + 1
    lowest_hz: float = 0.0
    highest_hz: float = 0.0  # 0: half the sample rate
    compression: Compression = "ln"
    floor: float = 1e-10
    offset: float = 0.0
    slope: float = 1.0
    gain: float = 1.0
    shift: float = 0.0
    full_scale: float = 1.0  # what the loudest sample is: 32768 for whole numbers of 16 bits
    rounding: Rounding = "none"
    padding: Padding = "reflect"  # of golden recordings alone: excerpts are cut from music, and have no ends

    def __post_init__(self) -> None:
        for name, kind in (
            ("window", Window),
            ("scale", Scale),
            ("norm", Norm),
            ("compression", Compression),
            ("padding", Padding),
            ("rounding", Rounding),
        ):
            if getattr(self, name) not in get_args(kind):
                raise OptionsError(f"{name} is {getattr(self, name)!r}, not one of {', '.join(get_args(kind))}")
        for name in ("sample_rate_hz", "window_samples", "hop_samples", "bands"):
            if getattr(self, name) < 1:
                raise OptionsError(f"{name} must be 1 or more, is {getattr(self, name)}")
        if self.power not in (1, 2):
            raise OptionsError(f"power must be 1 or 2, is {self.power}")
        if self.fft_samples < self.window_samples or self.fft_samples % 4:
            raise OptionsError(
                f"fft_samples must be a multiple of 4 and at least window_samples {self.window_samples}, "
                f"is {self.fft_samples}"
            )
        if self.scale == "linear" and self.bands != self.bins:
            raise OptionsError(f"bands of a linear scale are the {self.bins} Fourier bins, not {self.bands}")
        if not 0 <= self.lowest_hz < self.highest <= self.sample_rate_hz / 2:
            raise OptionsError(
                f"band edges must lie between 0 and {self.sample_rate_hz / 2:g} Hz, are {self.lowest_hz:g} and "
                f"{self.highest:g}"
            )
        if not self.floor > 0 or not self.slope > 0 or not self.full_scale > 0:
            raise OptionsError("floor, slope and full_scale must be above 0")

    @property
    def highest(self) -> float:
        """The upper edge of the highest band, in Hz."""
        return self.highest_hz or self.sample_rate_hz / 2

    @property
    def bins(self) -> int:
        """Fourier bins from 0 Hz to half the sample rate, both included."""
        return self.fft_samples // 2 + 1

    def samples_of(self, frames: int) -> int:
        """Samples that exactly `frames` frames span."""
        return self.fft_samples + (frames - 1) * self.hop_samples


def window_of(parameters: FrontendParameters) -> NDArray[np.float64]:
    """`[fft_samples]` the window in the middle, zeros on either side."""
    size = parameters.window_samples
    kind, _, symmetric = parameters.window.partition("-")
    points = np.arange(size) / max(1, size - 1 if symmetric else size)
    inner = {"hann": 0.5, "hamming": 0.54, "rectangular": 1.0}[kind]
    window = inner - (1 - inner) * np.cos(2 * np.pi * points)
    before = (parameters.fft_samples - size) // 2
    return np.pad(window, (before, parameters.fft_samples - size - before))


def mel_of_hz(hz: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Frequencies on a mel scale: HTK's logarithm, or Slaney's, which is linear up to 1 kHz."""
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hz / 700))
    above = 15 + MELS_PER_E * np.log(np.maximum(hz, MIN_LOG_HZ) / MIN_LOG_HZ)
    return np.where(hz < MIN_LOG_HZ, hz / HZ_PER_MEL, above)


def hz_of_mel(mel: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """The inverse of `mel_of_hz`."""
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    return np.where(mel < 15, mel * HZ_PER_MEL, MIN_LOG_HZ * np.exp((mel - 15) / MELS_PER_E))


def edges_hz(parameters: FrontendParameters) -> NDArray[np.float64]:
    """`[bands + 2]` edges and peaks of the filters; of a linear scale, the bins' neighbours."""
    if parameters.scale == "linear":
        return np.arange(-1, parameters.bins + 1) * parameters.sample_rate_hz / parameters.fft_samples
    ends = mel_of_hz(np.array([parameters.lowest_hz, parameters.highest]), parameters.scale)
    return hz_of_mel(np.linspace(*ends, parameters.bands + 2), parameters.scale)


def filters_of(parameters: FrontendParameters) -> NDArray[np.float64]:
    """`[bins, bands]` triangular filters; the identity where bands are bins."""
    if parameters.scale == "linear":
        return np.eye(parameters.bins)
    edges = edges_hz(parameters)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    hz = np.arange(parameters.bins)[:, None] * parameters.sample_rate_hz / parameters.fft_samples
    filters = np.maximum(0, np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)))
    if parameters.norm == "area":
        return np.asarray(filters * (2 / (right - left)))
    if parameters.norm == "sum":
        return np.asarray(filters / np.maximum(filters.sum(axis=0), np.finfo(float).tiny))
    return filters

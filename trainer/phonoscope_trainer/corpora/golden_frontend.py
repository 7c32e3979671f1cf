"""Whether a front-end makes of a recording what its network's own makes of it, and if not, why.

Front-ends that do not match are a network's most common fault away from home, and the quietest: it still answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.frontends.parameters import Compression, FrontendParameters, Norm, Padding, Window
from phonoscope_trainer.frontends.parametric import frames_of

TOLERANCE = 1e-3  # of the golden frames' standard deviation: what other resamplers and libraries differ by
RATES_HZ = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)
FRAME_SAMPLES = (256, 400, 512, 640, 800, 1024, 2048, 4096)
HOPS = (80, 128, 160, 200, 256, 315, 320, 441, 512, 1024)
LOWEST_HZ = (0.0, 20.0, 27.5, 30.0, 40.0, 50.0, 60.0, 80.0, 125.0)
HIGHEST_HZ = (0.0, 3800.0, 4000.0, 7500.0, 7600.0, 8000.0, 11025.0, 14000.0, 15000.0, 16000.0, 20000.0)
FLOORS = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3)
INSIDE = ((0.0, 1.0), (1.0, 1.0), (1.0, 10.0), (1.0, 100.0), (1.0, 1000.0), (1.0, 10_000.0), (1e-6, 1.0), (0.01, 1.0))
EXPLAINS = 0.5  # of the difference may be left by a change that explains it
LEFT = 0.3  # standard deviations that may be, whatever the difference was

Frames = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Finding:
    """How far a front-end is from golden frames, and what would bring it nearer."""

    difference: float  # root mean square, in standard deviations of the golden frames
    cause: str = ""  # the parameter that most likely differs, and its value there; empty where none explains it
    left: float = 0.0  # the difference with that value


def read_golden(audio: Path, frames: Path, parameters: FrontendParameters) -> tuple[NDArray[np.float32], Frames]:
    """Samples `[N]` and golden frames `[T, M]`.

    Raises:
        CorpusError: a file cannot be read, or the frames are no `[T, M]` numbers with these parameters' bands.
    """
    samples = read_mono(audio, parameters.sample_rate_hz)
    try:
        found = np.load(frames, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise CorpusError(f"{frames}: no NumPy array: {error}") from error
    if found.ndim != 2 or not np.issubdtype(found.dtype, np.number):
        raise CorpusError(f"{frames}: golden frames are [frames, bands] numbers, this is {list(found.shape)}")
    if found.shape[1] != parameters.bands:
        also = "; it may be turned: frames come first" if found.shape[0] == parameters.bands else ""
        raise CorpusError(f"{frames}: has {found.shape[1]} bands, the front-end has {parameters.bands}{also}")
    return samples, found.astype(np.float64)


def checked(audio: Path, frames: Path, parameters: FrontendParameters) -> float:
    """The difference between a front-end and golden frames, in standard deviations of these.

    Raises:
        CorpusError: see `read_golden`.
        OptionsError: it is too large; the message names the parameter that most likely differs.
    """
    samples, golden = read_golden(audio, frames, parameters)
    difference = difference_of(samples, golden, parameters)
    if difference <= TOLERANCE:
        return difference
    finding = likely_cause(audio, golden, parameters, difference)
    says = f"front-end: differs from {frames.name} by {difference:.3g} standard deviations, {TOLERANCE:g} is allowed"
    if not finding.cause:
        raise OptionsError(f"{says}; no single other parameter explains it: check several")
    rest = "" if finding.left <= TOLERANCE else f" ({finding.left:.3g} would be left)"
    raise OptionsError(f"{says}; most likely {finding.cause}{rest}")


def likely_cause(audio: Path, golden: Frames, parameters: FrontendParameters, difference: float) -> Finding:
    """What a front-end most likely has otherwise, found by trying: the change that leaves least."""
    best = Finding(difference)
    samples: dict[int, NDArray[np.float32]] = {}
    for change in _changes():
        try:
            other = replace(parameters, **change)
        except OptionsError:
            continue  # no front-end
        if other == parameters:
            continue
        rate = other.sample_rate_hz
        if rate not in samples:
            samples[rate] = read_mono(audio, rate)
        left = difference_of(samples[rate], golden, other)
        if not best.cause or left < best.left:
            best = Finding(difference, " and ".join(f"{name} is {value}" for name, value in change.items()), left)
    gain, shift, left = _fitted(audio, golden, parameters)
    if left < best.left * EXPLAINS:
        best = Finding(difference, f"gain is {gain * parameters.gain:.6g} and shift is {shift:.6g}", left)
    return best if best.left < min(LEFT, EXPLAINS * difference) else Finding(difference)


def difference_of(samples: NDArray[np.float32], golden: Frames, parameters: FrontendParameters) -> float:
    """Root mean square of what differs, over the golden frames' standard deviation; infinite without a frame."""
    if len(samples) < parameters.fft_samples:
        return float("inf")
    ours = frames_of(samples, parameters).numpy()
    frames = min(len(ours), len(golden))
    if not frames or abs(len(ours) - len(golden)) > 1 + len(golden) // 50:
        return float("inf")  # another number of frames is another hop or rate
    apart = ours[:frames] - golden[:frames]
    return float(np.sqrt(np.mean(np.square(apart))) / max(float(golden.std()), 1e-12))


def _fitted(audio: Path, golden: Frames, parameters: FrontendParameters) -> tuple[float, float, float]:
    """The gain and shift that bring the front-end's frames nearest to the golden ones, and what is left."""
    ours = frames_of(read_mono(audio, parameters.sample_rate_hz), parameters).double().numpy()
    frames = min(len(ours), len(golden))
    if not frames or abs(len(ours) - len(golden)) > 1 + len(golden) // 50:
        return 1.0, 0.0, float("inf")
    x, y = ours[:frames].ravel(), golden[:frames].ravel()
    gain, shift = np.polyfit(x, y, 1)
    return float(gain), float(shift), float(np.sqrt(np.mean((gain * x + shift - y) ** 2)) / max(y.std(), 1e-12))


def _changes() -> Iterator[dict[str, Any]]:
    """What may be otherwise, one thing at a time."""
    for name, values in (
        ("padding", get_args(Padding)),
        ("window", get_args(Window)),
        ("power", (1, 2)),
        ("scale", ("slaney", "htk")),
        ("norm", get_args(Norm)),
        ("compression", get_args(Compression)),
        ("floor", FLOORS),
        ("hop_samples", HOPS),
        ("lowest_hz", LOWEST_HZ),
        ("highest_hz", HIGHEST_HZ),
        ("full_scale", (1.0, 32768.0)),
        ("rounding", ("none", "float16")),
        ("sample_rate_hz", RATES_HZ),
        ("window_samples", FRAME_SAMPLES),
        ("fft_samples", FRAME_SAMPLES),
    ):
        yield from ({name: value} for value in values)
    yield from ({"offset": offset, "slope": slope} for offset, slope in INSIDE)
    yield from ({"fft_samples": size, "window_samples": size} for size in FRAME_SAMPLES)

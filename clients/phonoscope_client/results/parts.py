"""What answers to different questions are made of alike: the bundle that answered, labels, warnings, sound, axes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import soundfile

Label: TypeAlias = str  # as the bundle that answers names it
VOCAL, INSTRUMENTAL = SINGING = ("vocal", "instrumental")  # of a listener for singing, and of services of before
SoundWarningKind = Literal[
    "truncated",
    "gap",
    "damaged",
    "several_streams",
    "narrow_band",
    "cancelling_channels",
    "clipped",
    "unusual_scale",
    "other",
]
MapPrecision = Literal["float32", "float16"]  # in which maps travel
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


@dataclass(frozen=True)
class LabelAnswer:
    """What a listener says of one of its labels.

    Attributes:
        probability: in [0, 1].
        log_odds: natural logarithm of that over the probability of all else.
    """

    probability: float
    log_odds: float


@dataclass(frozen=True)
class SoundWarning:
    """Something in a recording that an answer about it may suffer from.

    Attributes:
        kind: what; "other" is a kind of a newer service, which `sentence` alone explains.
        start_s: where it begins, in seconds of the recording.
        end_s: where it ends; equal to `start_s` where it is a place.
        sentence: for people: what is wrong, and what was done about it.
    """

    kind: SoundWarningKind
    start_s: float
    end_s: float
    sentence: str


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


@overload
def is_vocal(probability: float, threshold: float) -> bool: ...
@overload
def is_vocal(probability: Floats, threshold: float) -> npt.NDArray[np.bool_]: ...
def is_vocal(probability: float | Floats, threshold: float) -> bool | npt.NDArray[np.bool_]:
    """Whether a probability of singing means that somebody sings: where it is at or above the threshold.

    Args:
        probability: in [0, 1]; one, or float32 of any shape for as many answers.
        threshold: of the bundle that answered.
    """
    return probability >= float(threshold)  # a Python float is compared with float32 as float32


def label_of(probability: float, threshold: float) -> Label:
    """The label that a probability of singing means."""
    return VOCAL if is_vocal(probability, threshold) else INSTRUMENTAL


def probabilities(labels: Mapping[str, LabelAnswer]) -> dict[str, float]:
    """The probability of each label."""
    return {label: said.probability for label, said in labels.items()}


def removed_sound(original: Waveform | None, kept: Waveform | None, outside_db: float | None) -> Waveform | None:
    """An excerpt with its region as soft as everything else is in the region's sound; None without sound.

    With O the excerpt, inside and outside its two parts and g the gain that `outside_db` means, the region's sound
    is E = inside + g·outside; so g·inside + outside is (1 + g)·O - E, to the precision of float32.

    Args:
        original: O.
        kept: E.
        outside_db: decibels by which what lies outside the region is softer in that.
    """
    if original is None or kept is None or outside_db is None:
        return None
    gain = np.float32(10 ** (-outside_db / 20))
    return Waveform((1 + gain) * original.samples - kept.samples, original.sample_rate_hz)


def wav(samples: npt.NDArray[np.float32], sample_rate_hz: int, *, gain: float = 1.0) -> bytes:
    """A 16-bit mono WAV file of `[N]` samples times `gain`; what exceeds full scale is clipped."""
    file = io.BytesIO()
    soundfile.write(file, samples * np.float32(gain), sample_rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


@dataclass(frozen=True)
class NearestExample:
    """An excerpt of the bundle's own music that the listener holds for like the one explained.

    Attributes:
        song: which of the bundle's songs, all of them made for it.
        start_s: where it begins in that song.
        label: that the listener gives it.
        distance: in the listener's last hidden layer; 1 is the median between two excerpts of the bundle's.
    """

    song: str
    start_s: float
    label: Label
    distance: float

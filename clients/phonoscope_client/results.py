"""What the service answers, as frozen dataclasses of plain values and NumPy arrays."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from phonoscope_client import archive

Label = Literal["vocal", "instrumental"]
Masking = Literal["m1", "m2"]
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


@dataclass(frozen=True)
class Trust:
    """What was tried on an explanation, and what came of it. Probabilities are of singing, in [0, 1].

    Attributes:
        relative_area: bins in the region divided by all bins, in [0, 1] (EUSIPCO 2018, section III.C).
        label_kept: whether the detector gives the same label to the region alone.
        masked_probability: when only the region is kept.
        removed_probability: when the region is removed.
        removal_flips_label: whether the label is lost when the region is removed.
        control_probability: when a random smooth region of the same area is kept instead.
        control_label_kept: whether that random region keeps the label too.
        reconstruction_error: root-mean-square difference between standardised excerpt and inversion.
        reconstruction_percentile: share of the bundle's validation excerpts with a lower error, in [0, 1].
        out_of_distribution: the inversion fits worse than on 99 % of the bundle's validation excerpts.
        heard_probability: of the explanation as it sounds, sent through the detector again; None without sound.
        heard_label_kept: whether the detector gives the same label to that sound; None likewise.
    """

    relative_area: float
    label_kept: bool
    masked_probability: float
    removed_probability: float
    removal_flips_label: bool
    control_probability: float
    control_label_kept: bool
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    heard_probability: float | None = None
    heard_label_kept: bool | None = None


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why the detector answered as it did at one moment. Maps are `[T, M]`: frames, mel bands lowest first.

    Attributes:
        bundle: the bundle that answered.
        at_s: the moment explained, in seconds of the recording: the frame nearest to the one asked for.
        label: the detector's answer for that moment.
        probability: of singing, for the untouched excerpt, in [0, 1].
        threshold: a moment at or above this probability is called vocal.
        rule: what said how relevant each bin is, such as "masker", "gradient" or "inversion".
        alpha: bins whose relevance is at least this form the region.
        masking: what a masked bin became: "m1" its band's mean, "m2" a raw log-mel of zero.
        axes: where frames and bands lie.
        log_mel: `[T, M]` float32, natural logarithm of the mel magnitude.
        relevance: `[T, M]` float32 in [0, 1], how much the answer rests on each bin, by the rule.
        mask: `[T, M]` bool, True inside the region.
        trust: the evidence.
        inverted: `[T, M]` float32, what the deepest layer's features still hold, in standardised units; None where
            details were not asked for.
        explanation: `[T, M]` float32, the excerpt inside the region, in standardised units; None likewise.
        original_audio: the excerpt as sound; None where it was not asked for.
        explanation_audio: the region as sound, with the excerpt's own phase; None likewise.
        outside_db: decibels by which what lies outside the region is attenuated in that sound; None likewise.
    """

    bundle: BundleReference
    at_s: float
    label: Label
    probability: float
    threshold: float
    rule: str
    alpha: float
    masking: Masking
    axes: Axes
    log_mel: Floats
    relevance: Floats
    mask: npt.NDArray[np.bool_]
    trust: Trust
    inverted: Floats | None
    explanation: Floats | None
    original_audio: Waveform | None
    explanation_audio: Waveform | None
    outside_db: float | None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one `.npz` file, which `numpy.load` reads too."""
        archive.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Explanation:
        """Read what `save` wrote, exactly.

        Raises:
            InvalidInputError: the file is not a saved explanation.
        """
        return archive.load(cls, path)

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for `json.dumps`."""
        return {
            "at_s": self.at_s,
            "label": self.label,
            "probability": self.probability,
            "threshold": self.threshold,
            "rule": self.rule,
            "alpha": self.alpha,
            "masking": self.masking,
            "outside_db": self.outside_db,
            "trust": asdict(self.trust),
            "bundle": asdict(self.bundle),
        }


@dataclass(frozen=True, eq=False)
class Curve:
    """The probability that somebody sings, at every frame of a recording.

    Attributes:
        bundle: the bundle that answered.
        probability: `[T]` float32 in [0, 1]; frame i starts at i / frames_per_second.
        frames_per_second: frames per second.
        threshold: a frame at or above this probability is called vocal.
    """

    bundle: BundleReference
    probability: Floats
    frames_per_second: float
    threshold: float

    @property
    def duration_s(self) -> float:
        """Seconds the frames span."""
        return len(self.probability) / self.frames_per_second

    @property
    def vocal_share(self) -> float:
        """Share of the frames called vocal, in [0, 1]."""
        return float(np.mean(self.probability >= np.float32(self.threshold)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one `.npz` file, which `numpy.load` reads too."""
        archive.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Curve:
        """Read what `save` wrote, exactly.

        Raises:
            InvalidInputError: the file is not a saved curve.
        """
        return archive.load(cls, path)

    def to_json(self) -> dict[str, Any]:
        """The whole curve, ready for `json.dumps`."""
        return {
            "frames_per_second": self.frames_per_second,
            "threshold": self.threshold,
            # The shortest decimals that name these float32 values; float64 ones are twice as long.
            "probability": [float(str(value)) for value in self.probability],
            "vocal_share": self.vocal_share,
            "bundle": asdict(self.bundle),
        }


@dataclass(frozen=True)
class Layer:
    """One layer of the detector, the shape of its activation for one excerpt, and whether it can be inverted."""

    name: str
    shape: tuple[int, ...]
    invertible: bool


@dataclass(frozen=True)
class Rule:
    """One way to say which bins an answer rests on, and the alpha it is used with where a request gives none."""

    name: str
    default_alpha: float


@dataclass(frozen=True)
class TrainingData:
    """One corpus behind a bundle: its name, licence and the SHA-256 of its description."""

    name: str
    licence: str
    digest: str


@dataclass(frozen=True)
class AudibleNetwork:
    """A network whose features can be heard.

    Attributes:
        network: "tagger" or "detector".
        layers: name of each convolution → how many features it has, first to deepest.
        labels: the classes it tells apart.
        clip_s: seconds of a clip.
    """

    network: Literal["tagger", "detector"]
    layers: dict[str, int]
    labels: tuple[str, ...]
    clip_s: float


@dataclass(frozen=True)
class Bundle:
    """What a service is serving.

    Attributes:
        name: name and version.
        digest: SHA-256 over the bundle's files, lower-case hexadecimal.
        layers: the detector's layers, first to last.
        sample_rate_hz: of the front-end.
        hop_samples: samples from one frame to the next.
        frame_samples: samples in a frame.
        excerpt_frames: frames in an excerpt.
        band_centre_hz: centre frequency of each mel band, ascending.
        threshold: a moment at or above this probability is called vocal.
        rules: the rules of explanation, the default first.
        metrics: measured when the bundle was made, by name.
        training_data: the corpora the networks were trained on.
        command: the command that made the bundle.
        audible: the networks whose features can be heard.
    """

    name: str
    digest: str
    layers: tuple[Layer, ...]
    sample_rate_hz: int
    hop_samples: int
    frame_samples: int
    excerpt_frames: int
    band_centre_hz: tuple[float, ...]
    threshold: float
    rules: tuple[Rule, ...]
    metrics: dict[str, float]
    training_data: tuple[TrainingData, ...]
    command: str
    audible: tuple[AudibleNetwork, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return asdict(self)

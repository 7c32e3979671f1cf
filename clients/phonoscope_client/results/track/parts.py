"""What a track comes in before its summary: what will be done, pieces of the curve, how far hearing is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.explanation import Masking
from phonoscope_client.results.parts import INSTRUMENTAL, VOCAL, BundleReference, Floats, Label

TrackTrustLevel = Literal["none", "kept", "full"]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class TrackBegun:
    """What will be done, with every choice that was left to the bundle.

    Attributes:
        bundle: the bundle that answers.
        frames_per_second: frames per second of the curve; of a listener that hears excerpts, excerpts per second.
        band_centre_hz: `[M]` float32, centre frequency of each band, ascending.
        excerpt_frames: frames of the excerpt around a moment, and of every region.
        threshold: a frame at or above this probability is called vocal, or the first of `labels`; 0 where the most
            probable label is the answer.
        decision_threshold: a frame of the smoothed curve likewise, where segments are made.
        rule: what says how relevant each bin is.
        trust_level: how much is tried on each region: "none"; "kept", whether it alone keeps the label; "full", also
            exchange with other music.
        masking: what a masked bin becomes: "m1" its band's mean, "m2" a raw log-mel of zero.
        duration_s: how long the track is; None where that is not known before it was heard.
        median_filter_s: width of the median filter that smooths the curve before it is decided upon, in seconds.
        minimum_s: a shorter segment is given to its neighbour, in seconds.
        outside_db: decibels by which what lies outside a region is attenuated in its sound; None without sound.
        listener: that answers.
        label: that was asked for; None where each moment's own is explained.
        contrast: that it is explained against; None where none was given.
        labels: that segments and moments may be called.
        map_frames_per_second: frames per second of maps, regions and spectrogram.
    """

    bundle: BundleReference
    frames_per_second: float
    band_centre_hz: Floats
    excerpt_frames: int
    threshold: float
    decision_threshold: float
    rule: str
    trust_level: TrackTrustLevel
    masking: Masking
    duration_s: float | None
    median_filter_s: float
    minimum_s: float
    outside_db: float | None = None
    listener: str = "detector"
    label: Label | None = None
    contrast: Label | None = None
    labels: tuple[Label, ...] = (VOCAL, INSTRUMENTAL)
    map_frames_per_second: float = 0.0

    def __post_init__(self) -> None:
        """Services and files of before know one rate."""
        if not self.map_frames_per_second:
            object.__setattr__(self, "map_frames_per_second", self.frames_per_second)

    @property
    def curve_label(self) -> Label | None:
        """Whose probability the curve is; None where it is, of each frame, the most probable label's."""
        return self.labels[0] if self.threshold else self.label

    @property
    def decided_by(self) -> str:
        """How a frame comes to its label, as in "vocal from 0.45"."""
        if self.decision_threshold:
            return f"{self.labels[0]} from {self.decision_threshold:.2f}"
        return f"the most probable of {', '.join(self.labels)}"


@dataclass(frozen=True, eq=False)
class CurvePiece:
    """A stretch of the curve.

    Attributes:
        first_frame: number of its first frame, from 0 at the track's start; frame i starts at i / frames_per_second.
        probability: `[n]` float32 in [0, 1], of `TrackBegun.curve_label`.
        log_mel: `[f, M]` float32, natural logarithm of the mel magnitude, `map_frames_per_second`; None where it was
            not asked for.
        labels: `[L]` the listener's, where there are more than two; else none.
        label_probability: `[n, L]` float32, the curve of each.
    """

    first_frame: int
    probability: Floats
    log_mel: Floats | None = None
    labels: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))
    label_probability: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))


@dataclass(frozen=True)
class TrackProgress:
    """How far a track is.

    Attributes:
        heard_s: seconds that were heard.
        duration_s: of how many; None where that is not known.
        explained: how many moments were explained.
    """

    heard_s: float
    duration_s: float | None
    explained: int

"""Why a listener answered as it did at one moment of a track."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.explanation import Doubt, Share
from phonoscope_client.results.parts import Floats, Label, LabelAnswer, Waveform, removed_sound
from phonoscope_client.results.track.box import Box, box
from phonoscope_client.results.track.parts import TrackBegun


@dataclass(frozen=True)
class TrackTrust:
    """What was tried on one explanation of a track; what was not is None. Each field means what it does in `Trust`.

    Attributes:
        relative_area: bins in the region divided by all bins, in [0, 1].
        reconstruction_error: root-mean-square difference between standardised excerpt and inversion.
        reconstruction_percentile: share of the bundle's validation excerpts with a lower error, in [0, 1].
        out_of_distribution: there is more doubt than about 99 % of the bundle's validation excerpts.
        control_seed: what other music was drawn from.
        doubt: how far the answer is to be doubted, before any explanation; None where the bundle cannot tell.
        masked_probability: when only the region is kept and all else is masked.
        label_kept: whether the label is kept then.
        carried: the region's content in other music that has the other answer; one draw, likewise below.
        silhouette: in the same place, content of a third excerpt.
        removed: the region filled from other music.
        controls: regions of as many bins, carried likewise: "random", "shifted" and "other"; empty where not tried.
        carried_over_silhouette: the share of `carried` that keeps the answer less that of `silhouette`, in [-1, 1].
        holds: whether the explanation holds: at "kept" the label is kept; at "full" the region's content carries the
            answer into other music, and its silhouette does not. Never of a region without a bin.
    """

    relative_area: float
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    control_seed: int
    doubt: Doubt | None = None
    masked_probability: float | None = None
    label_kept: bool | None = None
    carried: Share | None = None
    silhouette: Share | None = None
    removed: Share | None = None
    controls: dict[str, Share] = field(default_factory=dict)
    carried_over_silhouette: float | None = None
    holds: bool | None = None


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class TrackExplanation:
    """Why the listener answered as it did at one moment. Maps are `[T, M]`: frames, mel bands lowest first.

    Attributes:
        at_s: the moment, in seconds from the track's start.
        label: what is explained: the label asked for, or the listener's answer for it.
        probability: of that in [0, 1], or, of two labels, of the first, such as that of singing.
        start_s: start of the region's first frame, in seconds; negative before the track's beginning.
        mask: `[T, M]` bool, True inside the region.
        alpha: bins whose relevance is at least this form the region.
        trust: the evidence.
        log_mel: `[T, M]` float32, natural logarithm of the mel magnitude; None where maps were not asked for.
        relevance: `[T, M]` float32 in [0, 1], how much the answer rests on each bin, by the rule; None likewise.
        original_audio: the excerpt as sound; None where it was not asked for.
        explanation_audio: the region as sound, everything else far softer; None likewise.
        predicted: the listener's answer for it.
        labels: what the listener says of each of its labels.
    """

    at_s: float
    label: Label
    probability: float
    start_s: float
    mask: npt.NDArray[np.bool_]
    alpha: float
    trust: TrackTrust
    log_mel: Floats | None = None
    relevance: Floats | None = None
    original_audio: Waveform | None = None
    explanation_audio: Waveform | None = None
    predicted: Label = ""
    labels: dict[Label, LabelAnswer] = field(default_factory=dict)

    def removed_audio(self, outside_db: float) -> Waveform | None:
        """The excerpt with its region as soft as everything else is in the region's sound; None without sound."""
        return removed_sound(self.original_audio, self.explanation_audio, outside_db)

    def box(self, begun: TrackBegun) -> Box | None:
        """Where most of the region lies; None where it is empty."""
        return box(self.mask, self.start_s, begun.map_frames_per_second, begun.band_centre_hz)

    def to_json(self, begun: TrackBegun) -> dict[str, Any]:
        """Everything but maps and sounds, and where most of the region lies, ready for `json.dumps`."""
        found = self.box(begun)
        return {
            "at_s": self.at_s,
            "label": self.label,
            "predicted": self.predicted,
            "labels": {label: asdict(said) for label, said in self.labels.items()},
            "probability": self.probability,
            "alpha": self.alpha,
            "region": None if found is None else asdict(found),
            "trust": asdict(self.trust),
        }

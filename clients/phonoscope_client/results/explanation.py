"""Why a detector answered as it did at one moment, as frozen dataclasses of plain values and NumPy arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import (
    SINGING,
    Axes,
    BundleReference,
    Floats,
    Label,
    LabelAnswer,
    NearestExample,
    SoundWarning,
    Waveform,
    is_vocal,
    probabilities,
)

Masking = Literal["m1", "m2"]
Evidence = Literal["full", "kept", "mean-fill"]


@dataclass(frozen=True)
class Share:
    """How often something kept the answer.

    Attributes:
        n: how often it was tried; 0 where it was not.
        kept: how often the label that is explained was kept.
        probabilities: one for each try, in [0, 1].
        keeps: for each try, whether the label was kept; none where a service or an archive of before does not tell.
    """

    n: int
    kept: int
    probabilities: tuple[float, ...] = ()
    keeps: tuple[bool, ...] = ()

    @property
    def mostly(self) -> bool:
        """Whether more than half of the tries kept the answer."""
        return 2 * self.kept > self.n


@dataclass(frozen=True)
class Doubt:
    """How far an answer is to be doubted, by the detector's own features of the excerpt. All lie in [0, 1].

    Attributes:
        doubt: chance that the answer is not to be leaned on: 1 - (1 - wrong)·(1 - foreign).
        wrong: chance that it is wrong, if this is music such as the networks learned from.
        foreign: chance that this is no such music but foreign sound, such as speech, noise or a siren.
        percentile: share of the bundle's validation excerpts about which there is less doubt.
    """

    doubt: float
    wrong: float
    foreign: float
    percentile: float


@dataclass(frozen=True)
class Trust:
    """What was tried on an explanation, and what came of it.

    Probabilities, in [0, 1], are of singing where that is what the listener hears; of two labels in general, of the
    first; of more, of the one that is explained.

    A host is an excerpt of other music that has another answer; all music is as loud as the excerpt.

    Attributes:
        relative_area: bins in the region divided by all bins, in [0, 1] (EUSIPCO 2018, section III.C).
        label_kept: whether the detector gives the same label when only the region is kept and all else is masked, as
            the paper (EUSIPCO 2018) tries it.
        masked_probability: then.
        removed_probability: when the region is masked; None where it was not tried.
        removal_flips_label: whether the label is lost then.
        control_probabilities: when random smooth regions of the same area are kept instead, one for each; none where
            the region was exchanged with other music.
        controls_that_keep_label: how many of those random regions keep the label too.
        control_seed: what random regions and hosts were drawn from; given again, they are the same.
        reconstruction_error: root-mean-square difference between standardised excerpt and inversion; 0 where the rule
            brings no inversion, likewise below.
        reconstruction_percentile: share of the bundle's validation excerpts with a lower error, in [0, 1].
        out_of_distribution: there is more doubt than about 99 % of the bundle's validation excerpts; where `doubt` is
            None, that the inversion fits worse than on 99 % of them, which says next to nothing.
        heard_probability: of the explanation as it sounds, sent through the detector again; None without sound, and
            without a region: its sound is the whole excerpt, played more quietly.
        heard_label_kept: whether the detector gives the same label to that sound; None likewise.
        heard_control_probabilities: of each random region, played in the same way; None likewise, and where a service
            or an archive of before does not tell.
        heard_control_label_kept: whether most of the random regions keep the label when they are heard; None likewise.
        evidence: what was tried: "full" or "kept" by exchange with other music, or "mean-fill".
        carried: the region's content in hosts; None where there was no exchange, likewise below.
        silhouette: in the same place of the same hosts, content of a third excerpt, which has the other answer, too.
        removed: the region filled from hosts; None where only what is kept was tried.
        controls: regions of as many bins, carried likewise: "random", "shifted" by half an excerpt, and that of an
            "other" excerpt of the same answer; empty where there are none.
        carried_over_silhouette: the share of `carried` that keeps the answer less that of `silhouette`, in [-1, 1]: the
            headline; None without an exchange, and without a region.
        carried_heard_probability: of the region's content in the sound of a host, sent through the detector again; None
            without sound.
        silhouette_heard_probability: of the silhouette in that sound; None likewise.
        doubt: how far the answer is to be doubted, before any explanation; None where the bundle cannot tell.
        heard_controls_keep_label: of each of `heard_control_probabilities`, whether the label is kept; None likewise.
        carried_heard_label_kept, silhouette_heard_label_kept: whether those two sounds keep the label; None likewise.
    """

    relative_area: float
    label_kept: bool
    masked_probability: float
    removed_probability: float | None
    removal_flips_label: bool
    control_probabilities: tuple[float, ...]
    controls_that_keep_label: int
    control_seed: int
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    heard_probability: float | None = None
    heard_label_kept: bool | None = None
    heard_control_probabilities: tuple[float, ...] | None = None
    heard_control_label_kept: bool | None = None
    evidence: Evidence = "mean-fill"
    carried: Share | None = None
    silhouette: Share | None = None
    removed: Share | None = None
    controls: dict[str, Share] = field(default_factory=dict)
    carried_over_silhouette: float | None = None
    carried_heard_probability: float | None = None
    silhouette_heard_probability: float | None = None
    doubt: Doubt | None = None
    heard_controls_keep_label: tuple[bool, ...] | None = None
    carried_heard_label_kept: bool | None = None
    silhouette_heard_label_kept: bool | None = None

    @property
    def chance_keeps_label(self) -> bool:
        """Whether most of the random regions keep the label too, the rest masked; then keeping it says little."""
        return 2 * self.controls_that_keep_label > len(self.control_probabilities)


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Explanation(Archived):
    """Why a listener answered as it did at one moment. Maps are `[T, M]`: frames, mel bands lowest first.

    Attributes:
        bundle: the bundle that answered.
        at_s: the moment explained, in seconds of the recording: the frame nearest to the one asked for.
        label: what is explained: the label asked for, else the one predicted.
        probability: for the untouched excerpt, in [0, 1]; of which label, see `Trust`.
        threshold: at or above this probability the first of two labels, such as "vocal", is the answer, or, where any
            number of labels may hold, the one explained; 0 where the most probable is.
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
        carried_audio: the region's content in the sound of other music, each with its own phase; None likewise, and
            where there was no exchange or no region.
        silhouette_audio: the region's place in the same music with the content of a third excerpt; None likewise.
        warnings: what is wrong with the recording, where the answer may suffer from it.
        listener: that answered.
        contrast: the label that `label` is explained against; None where that is all others.
        predicted: the label the listener predicts.
        labels: name → what it says of each of its labels.
        nearest: the examples that were asked for, the nearest first.
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
    carried_audio: Waveform | None = None
    silhouette_audio: Waveform | None = None
    warnings: tuple[SoundWarning, ...] = ()
    listener: str = "detector"
    contrast: str | None = None
    predicted: Label = ""
    labels: dict[str, LabelAnswer] = field(default_factory=dict)
    nearest: tuple[NearestExample, ...] = ()

    @property
    def is_binary(self) -> bool:
        """Whether the listener has two labels, so that one probability speaks of both."""
        return len(self.labels) <= len(SINGING)

    def meant(self, probability: float, keeps: bool | None = None) -> Label:
        """The label that a probability of a trial means.

        Args:
            probability: as `Trust` gives it.
            keeps: whether the trial keeps the label, where that is known.
        """
        if self.is_binary:
            first, second = [*self.labels] or SINGING
            return first if is_vocal(probability, self.threshold) else second
        return "" if keeps is None else self.label if keeps else f"not {self.label}"

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for `json.dumps`."""
        return {
            "at_s": self.at_s,
            "listener": self.listener,
            "label": self.label,
            "contrast": self.contrast,
            "predicted": self.predicted or self.label,
            "labels": probabilities(self.labels),
            "log_odds": {label: said.log_odds for label, said in self.labels.items()},
            "probability": self.probability,
            "threshold": self.threshold,
            "rule": self.rule,
            "alpha": self.alpha,
            "masking": self.masking,
            "outside_db": self.outside_db,
            "trust": asdict(self.trust),
            "nearest": [asdict(each) for each in self.nearest],
            "warnings": [asdict(each) for each in self.warnings],
            "bundle": asdict(self.bundle),
        }

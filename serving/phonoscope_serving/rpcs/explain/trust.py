"""The evidence for an explanation: what was tried on it before it was returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from phonoscope_serving.bundle.doubt import DOUBT, FOREIGN, WRONG
from phonoscope_serving.bundle.error_distribution import is_out_of_distribution, percentile
from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange, Share
from phonoscope_serving.tensors import Floats


@dataclass(frozen=True)
class Doubt:
    """How far an answer is to be doubted; the contract has the meaning of each."""

    doubt: float
    wrong: float
    foreign: float
    percentile: float  # share of the bundle's validation excerpts about which there is less doubt, in [0, 1]


@dataclass(frozen=True)
class Trust:
    """What was tried, and what came of it; probabilities are as `Claim.probability` gives them."""

    SINGLE: ClassVar[tuple[str, ...]] = ("probability", "masked_probability", "relative_area")  # outputs it is made of
    ERROR: ClassVar[str] = "reconstruction_error"  # likewise, where the rule inverts
    REMOVED: ClassVar[str] = "removed_probability"  # likewise, where the region is removed, too

    claim: Claim  # what is explained
    probability: float
    masked_probability: float  # only the explanation is kept, all else masked
    label_kept: bool
    removed_probability: float  # the explanation is masked; 0 where that was not tried
    removal_flips_label: bool
    relative_area: float
    control_probabilities: tuple[float, ...]  # random regions of the same area are kept; none beside an exchange
    controls_that_keep_label: int
    control_seed: int  # what those regions were drawn from
    inverts: bool  # whether the rule brings an inversion
    reconstruction_error: float  # 0 where the rule brings no inversion, likewise below
    reconstruction_percentile: float  # share of the bundle's validation excerpts with a lower error, in [0, 1]
    out_of_distribution: bool
    heard_probability: float | None  # of the explanation's sound; None where none was asked for, or nothing is in it
    heard_label_kept: bool | None
    heard_control_probabilities: tuple[float, ...]  # of those random regions' sound, one for each; none likewise
    heard_controls_keep_label: tuple[bool, ...]  # likewise
    heard_control_label_kept: bool | None  # whether most of them keep the label
    evidence: Evidence  # what was tried
    exchange: Exchange | None  # None where evidence is by mean fill alone
    doubt: Doubt | None  # None where the bundle cannot tell

    @classmethod
    def measured(cls, listener: Listener, rule: Rule, evidence: Evidence) -> tuple[str, ...]:
        """The outputs of a rule's ensemble that an answer's trust is made of."""
        doubts = () if listener.doubt_quantiles is None else (DOUBT, WRONG, FOREIGN)
        always = (*cls.SINGLE, *((cls.ERROR,) if rule.inverts else ()), *doubts)
        match evidence:
            case Evidence.MEAN_FILL:
                return (*always, cls.REMOVED, *rule.controls)
            case Evidence.FULL:
                return (*always, cls.REMOVED)
        return always


def weigh(
    measured: Mapping[str, Floats],
    listener: Listener,
    claim: Claim,
    rule: Rule,
    control_seed: int,
    heard: Floats | None = None,
    evidence: Evidence = Evidence.MEAN_FILL,
    exchange: Exchange | None = None,
) -> Trust:
    """Judges what was measured by the listener's own decision and its own distribution.

    Args:
        measured: what `Trust.measured` names: of a probability `[K]`, else `[1]`.
        listener: whose quantiles apply.
        claim: what is explained.
        rule: that explained.
        control_seed: what its controls were drawn from.
        heard: `[1 + controls, K]` probabilities of the explanation as it sounds, and of each random region; None where
            none was listened to.
        evidence: what was tried.
        exchange: what came of that in other music.
    """

    def kept(*names: str) -> Share:
        return Share.of(claim, np.stack([measured[name] for name in names if name in measured]))

    (probability, masked), doubt = kept("probability", "masked_probability").probabilities, _doubt(measured, listener)
    removed = kept(Trust.REMOVED) if Trust.REMOVED in measured else Share()
    controls = kept(*rule.controls) if rule.controls[0] in measured else Share()
    played = Share() if heard is None else Share.of(claim, heard)
    quantiles, error = listener.reconstruction_error_quantiles, float(measured.get(Trust.ERROR, np.zeros(1))[0])
    return Trust(
        claim=claim,
        probability=probability,
        masked_probability=masked,
        relative_area=float(measured["relative_area"][0]),
        label_kept=kept("masked_probability").keeps[0],
        removed_probability=removed.probabilities[0] if removed.n else 0.0,
        removal_flips_label=removed.n > removed.kept,
        control_probabilities=controls.probabilities,
        controls_that_keep_label=controls.kept,
        control_seed=control_seed,
        inverts=rule.inverts,
        reconstruction_error=error,
        reconstruction_percentile=0.0 if quantiles is None else percentile(error, quantiles),
        out_of_distribution=_is_out_of_distribution(error, doubt, listener),
        heard_probability=played.probabilities[0] if played.n else None,
        heard_label_kept=played.keeps[0] if played.n else None,
        heard_control_probabilities=played.probabilities[1:],
        heard_controls_keep_label=played.keeps[1:],
        heard_control_label_kept=2 * sum(played.keeps[1:]) > len(played.keeps[1:]) if played.n else None,
        evidence=evidence,
        exchange=exchange,
        doubt=doubt,
    )


def _doubt(measured: Mapping[str, Floats], listener: Listener) -> Doubt | None:
    if listener.doubt_quantiles is None:
        return None
    doubt, wrong, foreign = (float(measured[name][0]) for name in (DOUBT, WRONG, FOREIGN))
    return Doubt(doubt, wrong, foreign, percentile(doubt, listener.doubt_quantiles))


def _is_out_of_distribution(error: float, doubt: Doubt | None, listener: Listener) -> bool:
    """By doubt, or, of a listener that cannot tell, by the error of the inversion."""
    if doubt is not None and listener.doubt_quantiles is not None:
        return is_out_of_distribution(doubt.doubt, listener.doubt_quantiles)
    quantiles = listener.reconstruction_error_quantiles
    return quantiles is not None and is_out_of_distribution(error, quantiles)

"""The evidence for an explanation: what was tried on it before it was returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.doubt import DOUBT, FOREIGN, WRONG
from phonoscope_serving.bundle.error_distribution import is_out_of_distribution, percentile
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange


@dataclass(frozen=True)
class Doubt:
    """How far an answer is to be doubted; the contract has the meaning of each."""

    doubt: float
    wrong: float
    foreign: float
    percentile: float  # share of the bundle's validation excerpts about which there is less doubt, in [0, 1]


@dataclass(frozen=True)
class Trust:
    """What was tried, and what came of it; probabilities are of singing."""

    SINGLE: ClassVar[tuple[str, ...]] = (  # the engine's outputs it is made of, beside the controls
        "probability",
        "masked_probability",
        "relative_area",
        "reconstruction_error",
    )
    REMOVED: ClassVar[str] = "removed_probability"  # likewise, where the region is removed, too

    vocal: bool  # the label of the untouched excerpt
    probability: float
    masked_probability: float  # only the explanation is kept, all else masked
    label_kept: bool
    removed_probability: float  # the explanation is masked; 0 where that was not tried
    removal_flips_label: bool
    relative_area: float
    control_probabilities: tuple[float, ...]  # random regions of the same area are kept; none beside an exchange
    controls_that_keep_label: int
    control_seed: int  # what those regions were drawn from
    reconstruction_error: float
    reconstruction_percentile: float  # share of the bundle's validation excerpts with a lower error, in [0, 1]
    out_of_distribution: bool
    heard_probability: float | None  # of the explanation's sound; None where none was asked for, or nothing is in it
    heard_label_kept: bool | None
    heard_control_probabilities: tuple[float, ...]  # of those random regions' sound, one for each; none likewise
    heard_control_label_kept: bool | None  # whether most of them keep the label
    evidence: Evidence  # what was tried
    exchange: Exchange | None  # None where evidence is by mean fill alone
    doubt: Doubt | None  # None where the bundle cannot tell

    @classmethod
    def measured(cls, bundle: Bundle, rule: Rule, evidence: Evidence) -> tuple[str, ...]:
        """The outputs of a rule's ensemble that an answer's trust is made of."""
        always = cls.SINGLE if bundle.doubt_quantiles is None else (*cls.SINGLE, DOUBT, WRONG, FOREIGN)
        match evidence:
            case Evidence.MEAN_FILL:
                return (*always, cls.REMOVED, *rule.controls)
            case Evidence.FULL:
                return (*always, cls.REMOVED)
        return always


def weigh(
    measured: Mapping[str, float],
    bundle: Bundle,
    rule: Rule,
    control_seed: int,
    heard: Sequence[float] = (),
    evidence: Evidence = Evidence.MEAN_FILL,
    exchange: Exchange | None = None,
) -> Trust:
    """Judges what was measured by the bundle's own threshold and its own distribution.

    Args:
        measured: the numbers `Trust.measured` names.
        bundle: whose threshold and quantiles apply.
        rule: that explained.
        control_seed: what its controls were drawn from.
        heard: probabilities of the explanation as it sounds, and of each random region; empty where none was listened
            to.
        evidence: what was tried.
        exchange: what came of that in other music.
    """
    label = bundle.is_vocal(measured["probability"])
    heard_keeps = [bundle.is_vocal(each) == label for each in heard]
    quantiles, doubt = bundle.reconstruction_error_quantiles, _doubt(measured, bundle)
    error = measured["reconstruction_error"]
    controls = tuple(measured[name] for name in rule.controls if name in measured)
    removed = measured.get(Trust.REMOVED)
    return Trust(
        **{name: measured[name] for name in Trust.SINGLE},
        vocal=label,
        label_kept=bundle.is_vocal(measured["masked_probability"]) == label,
        removed_probability=removed or 0.0,
        removal_flips_label=removed is not None and bundle.is_vocal(removed) != label,
        control_probabilities=controls,
        controls_that_keep_label=sum(bundle.is_vocal(control) == label for control in controls),
        control_seed=control_seed,
        reconstruction_percentile=percentile(error, quantiles),
        out_of_distribution=_is_out_of_distribution(error, doubt, bundle),
        heard_probability=heard[0] if heard else None,
        heard_label_kept=heard_keeps[0] if heard else None,
        heard_control_probabilities=tuple(heard[1:]),
        heard_control_label_kept=2 * sum(heard_keeps[1:]) > len(heard_keeps[1:]) if heard else None,
        evidence=evidence,
        exchange=exchange,
        doubt=doubt,
    )


def _doubt(measured: Mapping[str, float], bundle: Bundle) -> Doubt | None:
    if bundle.doubt_quantiles is None:
        return None
    doubt, wrong, foreign = (measured[name] for name in (DOUBT, WRONG, FOREIGN))
    return Doubt(doubt, wrong, foreign, percentile(doubt, bundle.doubt_quantiles))


def _is_out_of_distribution(error: float, doubt: Doubt | None, bundle: Bundle) -> bool:
    """By doubt, or, of a bundle that cannot tell, by the error of the inversion."""
    if doubt is None or bundle.doubt_quantiles is None:
        return is_out_of_distribution(error, bundle.reconstruction_error_quantiles)
    return is_out_of_distribution(doubt.doubt, bundle.doubt_quantiles)

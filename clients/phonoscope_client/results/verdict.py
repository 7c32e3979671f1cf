"""The trust block in plain words, no kinder than its controls allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from phonoscope_client.results.explanation import Explanation, Trust
from phonoscope_client.results.parts import Label, label_of
from phonoscope_client.results.wording import percent

# A region this large leaves hardly anything out, and so points at nothing.
NEARLY_ALL = 0.9

Bearing = Literal["supports", "weakens", "neutral"]


@dataclass(frozen=True)
class Trial:
    """One thing the detector was asked about, and its answer: a probability of singing, and the label it means."""

    name: str
    probability: float
    label: Label


def trials(explanation: Explanation) -> tuple[Trial, ...]:
    """What the trust block rests on: the excerpt as it is, and with parts of it masked."""
    trust = explanation.trust
    asked = [
        ("Excerpt as it is", explanation.probability),
        ("Only the region kept", trust.masked_probability),
        ("The region removed", trust.removed_probability),
        ("Random region kept", trust.control_probability),
    ]
    if trust.heard_probability is not None:
        asked.append(("The region as it sounds", trust.heard_probability))
    return tuple(Trial(name, probability, label_of(probability, explanation.threshold)) for name, probability in asked)


@dataclass(frozen=True)
class Finding:
    """One thing that was tried, what came of it, and whether that speaks for the explanation."""

    bearing: Bearing
    text: str


@dataclass(frozen=True)
class Verdict:
    """How far an explanation can be trusted: one sentence, and what it rests on."""

    headline: str
    findings: tuple[Finding, ...]


def verdict(explanation: Explanation) -> Verdict:
    """Judge an explanation by its trust block."""
    trust = explanation.trust
    findings = [_keeping(trust), _control(trust), _removal(trust), _area(trust), _reconstruction(trust)]
    if trust.heard_label_kept is not None:
        findings.insert(3, _hearing(trust.heard_label_kept))
    return Verdict(_headline(trust), tuple(findings))


# By whether the region alone keeps the answer, its removal loses it, and a random region keeps it.
_HEADLINES = {
    (
        True,
        True,
        False,
    ): "This region carries the answer: it keeps it alone, and without it the answer is lost.",
    (
        True,
        True,
        True,
    ): "The answer needs this region; that it also keeps it says little, for a random one does.",
    (
        True,
        False,
        False,
    ): "This region is enough for the answer, but not needed: without it, the answer stays.",
    (True, False, True): "This says little: a random region of the same size keeps the answer just as well.",
    (False, True, False): "The answer needs this region, but the region alone is not enough for it.",
    (False, True, True): "The answer needs this region, yet a random one of the same size keeps it better.",
    (
        False,
        False,
        False,
    ): "This region does not explain the answer: it is neither enough for it nor needed.",
    (
        False,
        False,
        True,
    ): "This region does not explain the answer: a random one of the same size does better.",
}


def _headline(trust: Trust) -> str:
    if trust.out_of_distribution:
        return "Do not lean on this explanation: the inversion behind it does not fit this excerpt."
    if trust.relative_area == 0:
        return "There is no region, and so no explanation; a smaller alpha gives one."
    if trust.relative_area >= NEARLY_ALL:
        return "The region is nearly the whole excerpt, so it points at nothing; a larger alpha narrows it."
    return _HEADLINES[trust.label_kept, trust.removal_flips_label, trust.control_label_kept]


def _keeping(trust: Trust) -> Finding:
    if trust.label_kept:
        return Finding("supports", "Keeping only this region keeps the answer.")
    return Finding("weakens", "Keeping only this region loses the answer.")


def _control(trust: Trust) -> Finding:
    if trust.control_label_kept and trust.label_kept:
        return Finding("weakens", "So does a random region of the same size, so keeping it says little.")
    if trust.control_label_kept:
        return Finding("weakens", "A random region of the same size keeps it.")
    if trust.label_kept:
        return Finding("supports", "A random region of the same size loses it.")
    return Finding("neutral", "So does a random region of the same size: at this size masking itself may decide.")


def _removal(trust: Trust) -> Finding:
    if trust.removal_flips_label:
        return Finding("supports", "Removing the region changes the answer.")
    return Finding("weakens", "Removing the region does not change the answer: enough is left elsewhere.")


def _hearing(label_kept: bool) -> Finding:
    if label_kept:
        return Finding("supports", "Played, with everything else far softer, the region keeps the answer.")
    return Finding("weakens", "Played, the region loses the answer: it works as numbers, not as sound.")


def _area(trust: Trust) -> Finding:
    text = f"The region covers {percent(trust.relative_area)} of the excerpt."
    pointless = trust.relative_area == 0 or trust.relative_area >= NEARLY_ALL
    return Finding("weakens" if pointless else "neutral", text)


def _reconstruction(trust: Trust) -> Finding:
    rank = percent(trust.reconstruction_percentile)
    text = f"The inversion misses this excerpt by more than it misses {rank} of the excerpts it was validated on"
    if trust.out_of_distribution:
        return Finding("weakens", f"{text}: the bundle does not know such sound.")
    return Finding("neutral", f"{text}, which is within its usual range.")

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
    """What the trust block rests on: the excerpt as it is, with parts of it masked, and parts of it played."""
    trust = explanation.trust
    asked = [
        ("Excerpt as it is", explanation.probability),
        ("Only the region kept", trust.masked_probability),
        ("The region removed", trust.removed_probability),
        *((f"Random region {number} kept", each) for number, each in enumerate(trust.control_probabilities, start=1)),
    ]
    if trust.heard_probability is not None:
        asked.append(("The region played", trust.heard_probability))
    played = trust.heard_control_probabilities or ()
    asked += [(f"Random region {number} played", each) for number, each in enumerate(played, start=1)]
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
    tried = [_keeping(trust), _control(trust), _removal(trust)]
    if trust.heard_label_kept is not None:
        tried.append(_hearing(explanation))
    if trust.relative_area == 0:
        tried = [_NOTHING_TO_TRY]
    return Verdict(_headline(trust), (*tried, _area(trust), _reconstruction(trust)))


_NOTHING_TO_TRY = Finding(
    "weakens",
    "There is nothing to keep, to remove or to play: what the detector answers to no region is evidence of nothing.",
)


# By whether the region alone keeps the answer, its removal loses it, and most random regions keep it.
_HEADLINES = {
    (True, True, False): "This region carries the answer: it keeps it alone, and without it the answer is lost.",
    (True, True, True): "The answer needs this region; that it also keeps it says little, for most random ones do.",
    (True, False, False): "This region is enough for the answer, but not needed: without it, the answer stays.",
    (True, False, True): "This says little: most random regions of the same size keep the answer just as well.",
    (False, True, False): "The answer needs this region, but the region alone is not enough for it.",
    (False, True, True): "The answer needs this region, yet most random ones of the same size keep it better.",
    (False, False, False): "This region does not explain the answer: it is neither enough for it nor needed.",
    (False, False, True): "This region does not explain the answer: most random ones of the same size do better.",
}


def _headline(trust: Trust) -> str:
    if trust.out_of_distribution:
        return "Do not lean on this explanation: the inversion behind it does not fit this excerpt."
    if trust.relative_area == 0:
        return "There is no region, and so no explanation; a smaller alpha gives one."
    if trust.relative_area >= NEARLY_ALL:
        return "The region is nearly the whole excerpt, so it points at nothing; a larger alpha narrows it."
    return _HEADLINES[trust.label_kept, trust.removal_flips_label, trust.chance_keeps_label]


def _keeping(trust: Trust) -> Finding:
    if trust.label_kept:
        return Finding("supports", "Keeping only this region keeps the answer.")
    return Finding("weakens", "Keeping only this region loses the answer.")


def _control(trust: Trust) -> Finding:
    kept, drawn = trust.controls_that_keep_label, trust.controls
    if trust.label_kept and trust.chance_keeps_label:
        return Finding(
            "weakens", f"So do {kept} of {drawn} random regions of the same size, so keeping it says little."
        )
    if trust.chance_keeps_label:
        return Finding("weakens", f"{kept} of {drawn} random regions of the same size keep it.")
    if trust.label_kept and kept:
        return Finding("neutral", f"{kept} of {drawn} random regions of the same size keeps it, too.")
    if trust.label_kept:
        return Finding("supports", f"None of {drawn} random regions of the same size keeps it.")
    lost = f"So do {drawn - kept} of {drawn} random regions of the same size"
    return Finding("neutral", f"{lost}: at this size masking itself may decide.")


def _removal(trust: Trust) -> Finding:
    if trust.removal_flips_label:
        return Finding("supports", "Removing the region changes the answer.")
    return Finding("weakens", "Removing the region does not change the answer: enough is left elsewhere.")


def _hearing(explanation: Explanation) -> Finding:
    trust = explanation.trust
    played = trust.heard_control_probabilities or ()
    kept = sum(label_of(each, explanation.threshold) == explanation.label for each in played)
    if not trust.heard_label_kept:
        chance = f", which {kept} of {len(played)} random regions keep" if trust.heard_control_label_kept else ""
        return Finding("weakens", f"Played, the region loses the answer{chance}: it works as numbers, not as sound.")
    keeping = "Played, with everything else far softer, the region keeps the answer"
    if not played:
        return Finding("neutral", f"{keeping}; no random region was played beside it.")
    if trust.heard_control_label_kept:
        return Finding(
            "neutral", f"{keeping}. So do {kept} of {len(played)} random regions of the same size, so that says little."
        )
    return Finding("supports", f"{keeping}; of {len(played)} random regions of the same size, {kept or 'none'} does.")


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

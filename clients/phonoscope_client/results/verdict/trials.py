"""What the detector was asked about an explanation, and its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from phonoscope_client.results.explanation import Explanation, Share, Trust
from phonoscope_client.results.parts import Label, label_of

_CONTROLS = {
    "random": "Random region carried",
    "shifted": "Shifted region carried",
    "other": "Another's region carried",
}


@dataclass(frozen=True)
class Trial:
    """One thing the detector was asked about, and its answer: a probability of singing, and the label it means."""

    name: str
    probability: float
    label: Label


def trials(explanation: Explanation) -> tuple[Trial, ...]:
    """What the trust block rests on: the excerpt as it is, its region in other music, masked, and played."""
    asked = [
        ("Excerpt as it is", explanation.probability),
        *_exchanged(explanation.trust),
        *_masked(explanation.trust),
        *_played(explanation.trust),
    ]
    return tuple(Trial(name, probability, label_of(probability, explanation.threshold)) for name, probability in asked)


def _exchanged(trust: Trust) -> Iterator[tuple[str, float]]:
    named = {"Region carried": trust.carried, "Its silhouette": trust.silhouette, "Region filled": trust.removed}
    named |= {name: trust.controls.get(control) for control, name in _CONTROLS.items()}
    for name, share in named.items():
        yield from _numbered(name, share)
    if trust.carried_heard_probability is not None:
        yield "Region carried, played", trust.carried_heard_probability
    if trust.silhouette_heard_probability is not None:
        yield "Its silhouette, played", trust.silhouette_heard_probability


def _numbered(name: str, share: Share | None) -> Iterator[tuple[str, float]]:
    probabilities = share.probabilities if share else ()
    for number, probability in enumerate(probabilities, start=1):
        yield (f"{name} {number}" if len(probabilities) > 1 else name), probability


def _masked(trust: Trust) -> Iterator[tuple[str, float]]:
    yield "Only the region kept", trust.masked_probability
    if trust.removed_probability is not None:
        yield "The region removed", trust.removed_probability
    for number, probability in enumerate(trust.control_probabilities, start=1):
        yield f"Random region {number} kept", probability


def _played(trust: Trust) -> Iterator[tuple[str, float]]:
    if trust.heard_probability is not None:
        yield "The region played", trust.heard_probability
    for number, probability in enumerate(trust.heard_control_probabilities or (), start=1):
        yield f"Random region {number} played", probability

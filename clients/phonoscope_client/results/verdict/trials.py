"""What the listener was asked about an explanation, and its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from phonoscope_client.results.explanation import Explanation, Share, Trust
from phonoscope_client.results.parts import Label

_CONTROLS = {
    "random": "Random region carried",
    "shifted": "Shifted region carried",
    "other": "Another's region carried",
}


@dataclass(frozen=True)
class Trial:
    """One thing the listener was asked about, and its answer: a probability, see `Trust`, and the label it means."""

    name: str
    probability: float
    label: Label


def trials(explanation: Explanation) -> tuple[Trial, ...]:
    """What the trust block rests on: the excerpt as it is, its region in other music, masked, and played."""
    trust = explanation.trust
    predicted = explanation.predicted or explanation.label
    return (
        Trial("Excerpt as it is", explanation.probability, predicted),
        *(
            Trial(name, probability, explanation.meant(probability, keeps))
            for name, probability, keeps in (*_exchanged(trust), *_masked(trust), *_played(trust))
        ),
    )


Tried = tuple[str, float, bool | None]  # what, the probability, and whether it keeps the label, where that is known


def _exchanged(trust: Trust) -> Iterator[Tried]:
    named = {"Region carried": trust.carried, "Its silhouette": trust.silhouette, "Region filled": trust.removed}
    named |= {name: trust.controls.get(control) for control, name in _CONTROLS.items()}
    for name, share in named.items():
        yield from _numbered(name, share)
    if trust.carried_heard_probability is not None:
        yield "Region carried, played", trust.carried_heard_probability, trust.carried_heard_label_kept
    if trust.silhouette_heard_probability is not None:
        yield "Its silhouette, played", trust.silhouette_heard_probability, trust.silhouette_heard_label_kept


def _numbered(name: str, share: Share | None) -> Iterator[Tried]:
    if share is not None:
        several = len(share.probabilities) > 1
        for number, (probability, keeps) in enumerate(zip_longest(share.probabilities, share.keeps), start=1):
            yield (f"{name} {number}" if several else name), probability, keeps


def _masked(trust: Trust) -> Iterator[Tried]:
    yield "Only the region kept", trust.masked_probability, trust.label_kept
    if trust.removed_probability is not None:
        yield "The region removed", trust.removed_probability, not trust.removal_flips_label
    for number, probability in enumerate(trust.control_probabilities, start=1):
        yield f"Random region {number} kept", probability, None


def _played(trust: Trust) -> Iterator[Tried]:
    if trust.heard_probability is not None:
        yield "The region played", trust.heard_probability, trust.heard_label_kept
    played = zip_longest(trust.heard_control_probabilities or (), trust.heard_controls_keep_label or ())
    for number, (probability, keeps) in enumerate(played, start=1):
        yield f"Random region {number} played", probability, keeps

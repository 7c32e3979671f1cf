"""The verdict on one explanation of a track, whose evidence is smaller: one draw of each trial, or masking alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from phonoscope_client.results.track import TrackExplanation
from phonoscope_client.results.verdict import doubt, exchange
from phonoscope_client.results.verdict.finding import Finding
from phonoscope_client.results.verdict.verdict import NOTHING_TO_TRY, Verdict, area_finding, size_headline

Standing = Literal["holds", "fails", "untried", "doubtful"]

STANDINGS: dict[Standing, str] = {
    "holds": "holds",
    "fails": "does not hold",
    "untried": "not tried",
    "doubtful": "doubtful answer",
}
_UNTRIED = "This is where the answer rests by the rule; nothing was tried on it."
_KEPT_HEADLINES = {
    True: "Masked, this region alone keeps the answer; an outline may do that by itself.",
    False: "This region alone does not keep the answer.",
}
_KEPT = {
    True: Finding("supports", "With all else masked, the region keeps the answer. An outline may do that by itself."),
    False: Finding("weakens", "With all else masked, the region loses the answer."),
}


def standing(explanation: TrackExplanation) -> Standing:
    """How far an explanation may be leaned on, in a word: an answer out of distribution is doubtful whatever holds."""
    trust = explanation.trust
    if trust.out_of_distribution:
        return "doubtful"
    if trust.holds is None:
        return "untried"
    return "holds" if trust.holds else "fails"


def track_verdict(explanation: TrackExplanation) -> Verdict:
    """Judge one explanation of a track by what was tried on it."""
    trust = explanation.trust
    found = (*_tried(explanation), area_finding(trust.relative_area), doubt.finding(trust))
    return Verdict(_headline(explanation), found)


def _headline(explanation: TrackExplanation) -> str:
    trust = explanation.trust
    if trust.out_of_distribution:
        return doubt.headline(trust)
    if said := size_headline(trust.relative_area):
        return said
    if trust.carried is not None:
        return exchange.headline(explanation.label, trust)
    return _UNTRIED if trust.label_kept is None else _KEPT_HEADLINES[trust.label_kept]


def _tried(explanation: TrackExplanation) -> Iterator[Finding]:
    trust = explanation.trust
    if trust.relative_area == 0:
        yield NOTHING_TO_TRY
        return
    if trust.carried is not None:
        yield from exchange.findings(explanation.label, trust)
    if trust.label_kept is not None:
        yield _KEPT[trust.label_kept]

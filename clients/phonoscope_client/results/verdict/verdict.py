"""The verdict on an explanation: one sentence, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.verdict import doubt, exchange, mean_fill
from phonoscope_client.results.verdict.finding import Finding
from phonoscope_client.results.wording import percent

# A region this large leaves hardly anything out, and so points at nothing.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Verdict:
    """How far an explanation can be trusted: one sentence, and what it rests on."""

    headline: str
    findings: tuple[Finding, ...]


def verdict(explanation: Explanation) -> Verdict:
    """Judge an explanation by its trust block."""
    trust = explanation.trust
    return Verdict(
        _headline(explanation), (*_tried(explanation), area_finding(trust.relative_area), doubt.finding(trust))
    )


def _tried(explanation: Explanation) -> list[Finding]:
    trust = explanation.trust
    if trust.relative_area == 0:
        return [NOTHING_TO_TRY]
    if trust.carried is None:
        tried = list(mean_fill.findings(trust))
    else:
        tried = [
            *exchange.findings(explanation.label, trust, exchange.played(explanation)),
            mean_fill.beside_exchange(trust),
        ]
    if trust.heard_label_kept is not None:
        tried.append(mean_fill.played(explanation))
    return tried


NOTHING_TO_TRY = Finding(
    "weakens",
    "There is nothing to keep, to remove or to play: what the detector answers to no region is evidence of nothing.",
)


def _headline(explanation: Explanation) -> str:
    trust = explanation.trust
    if trust.out_of_distribution:
        return doubt.headline(trust)
    return size_headline(trust.relative_area) or _tried_headline(explanation)


def size_headline(relative_area: float) -> str:
    """The first thing to be said of a region that is no region; empty of any other."""
    if relative_area == 0:
        return "There is no region, and so no explanation; a smaller alpha gives one."
    if relative_area >= NEARLY_ALL:
        return "The region is nearly the whole excerpt, so it points at nothing; a larger alpha narrows it."
    return ""


def _tried_headline(explanation: Explanation) -> str:
    trust = explanation.trust
    return mean_fill.headline(trust) if trust.carried is None else exchange.headline(explanation.label, trust)


def area_finding(relative_area: float) -> Finding:
    """How much of the excerpt the region covers."""
    text = f"The region covers {percent(relative_area)} of the excerpt."
    pointless = relative_area == 0 or relative_area >= NEARLY_ALL
    return Finding("weakens" if pointless else "neutral", text)

"""What an exchange with other music says of a region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from phonoscope_client.results.explanation import Explanation, Share, Trust
from phonoscope_client.results.parts import INSTRUMENTAL, VOCAL, Label
from phonoscope_client.results.track import TrackTrust
from phonoscope_client.results.verdict.finding import Bearing, Finding

_HOSTS = {VOCAL: "in which nobody sings", INSTRUMENTAL: "in which somebody sings"}
_CONTROLS = {
    "random": "a random region",
    "shifted": "the region half an excerpt later",
    "other": "another excerpt's region",
}
# By whether the region's content carries the answer, the answer is lost without it, and most controls carry it too.
_HEADLINES = {
    (True, True, False): "What this region holds carries the answer: the answer goes with it, and is lost without it.",
    (True, True, True): "The answer needs this region; that it goes with it says little, for it does with others.",
    (
        True,
        False,
        False,
    ): "What this region holds is enough for the answer, but not needed: without it, the answer stays.",
    (True, False, True): "This says little: most other regions of the same size carry the answer just as well.",
    (False, True, False): "The answer needs this region, but what it holds is not enough for it in other music.",
    (False, True, True): "The answer needs this region, yet most others of the same size carry it better.",
    (False, False, False): "This region does not explain the answer: it neither carries it nor is needed.",
    (False, False, True): "This region does not explain the answer: most others of the same size do better.",
}
_KEPT_HEADLINES = {
    True: "What this region holds carries the answer into other music; whether it is needed was not tried.",
    False: "This region does not explain the answer: what it holds does not carry it into other music.",
}
_SINGING_OUTLINE = "The region's outline sings by itself: filled with music in which nobody sings, it is called sung."
_OUTLINE = "The region's outline gets the answer by itself, whatever is in it: its content is not shown to matter."
_ABSENCE = "Nobody sings, and an absence is hard to point at: take the region as a hint at most."
_ABSENCE_FINDING = Finding(
    "weakens",
    "The answer is that nobody sings. To carry that into sung music a region has to cover the singing there: this "
    "evidence is weak for such answers.",
)


def headline(label: Label, trust: Trust | TrackTrust) -> str:
    """The first thing to be said of a region that was exchanged."""
    carried, silhouette = _tried(trust.carried), _tried(trust.silhouette)
    if silhouette.mostly:
        return _SINGING_OUTLINE if label == VOCAL else _OUTLINE
    if trust.removed is None:
        return _ABSENCE if label == INSTRUMENTAL else _KEPT_HEADLINES[carried.mostly]
    lost = not trust.removed.mostly
    if label == INSTRUMENTAL and (carried.mostly or lost):
        return _ABSENCE
    return _HEADLINES[carried.mostly, lost, _controls(trust).mostly]


def findings(label: Label, trust: Trust | TrackTrust, heard: Iterable[Finding] = ()) -> Iterator[Finding]:
    """What was tried, and what came of it.

    Args:
        label: the answer.
        trust: the evidence.
        heard: what came of playing what was exchanged.
    """
    hosts = _HOSTS.get(label, "with another answer")
    carried = _tried(trust.carried)
    yield Finding(
        "supports" if carried.mostly else "weakens",
        f"Put into other music {hosts}, what the region holds keeps the answer in {carried.kept} of {carried.n} tries.",
    )
    yield _silhouette(_tried(trust.silhouette), hosts, carried.mostly)
    if trust.removed is not None:
        yield _removed(trust.removed)
    if trust.controls:
        yield _others(trust)
    yield from heard
    if label == INSTRUMENTAL:
        yield _ABSENCE_FINDING


def played(explanation: Explanation) -> Iterator[Finding]:
    """What came of playing what was exchanged, where it was."""
    if explanation.trust.carried_heard_probability is not None:
        yield _heard(explanation)


def _silhouette(share: Share, hosts: str, carried: bool) -> Finding:
    text = (
        f"Its silhouette, the same place filled with a third excerpt {hosts}, keeps it in {share.kept} of {share.n}: "
    )
    if share.mostly:
        return Finding("weakens", f"{text}the outline alone is enough.")
    if share.kept:
        return Finding("neutral", f"{text}sometimes the outline is enough.")
    return Finding("supports" if carried else "neutral", f"{text}it is not the outline.")


def _removed(share: Share) -> Finding:
    lost = share.n - share.kept
    text = f"With the region filled from other music, the answer is lost in {lost} of {share.n} tries"
    if share.mostly:
        return Finding("weakens", f"{text}: enough is left elsewhere.")
    return Finding("supports" if not share.kept else "neutral", f"{text}.")


def _others(trust: Trust | TrackTrust) -> Finding:
    keeping = [_CONTROLS[name] for name, share in trust.controls.items() if share.mostly and name in _CONTROLS]
    named = ", ".join(_CONTROLS[name] for name in trust.controls if name in _CONTROLS)
    size = "as large and carried likewise"
    if not keeping:
        return Finding("supports", f"Of other regions, {size} ({named}), none keeps the answer.")
    bearing: Bearing = "weakens" if _controls(trust).mostly else "neutral"
    keep = "keeps" if len(keeping) == 1 else "keep"
    text = f"Of other regions, {size} ({named}), {len(keeping)} {keep} it, too: {', '.join(keeping)}."
    return Finding(bearing, text)


def _heard(explanation: Explanation) -> Finding:
    trust = explanation.trust
    assert trust.carried_heard_probability is not None
    assert trust.silhouette_heard_probability is not None
    carried, silhouette = trust.carried_heard_label_kept, trust.silhouette_heard_label_kept
    if carried is None:  # a service of before does not tell
        carried, silhouette = (
            explanation.meant(each) == explanation.label
            for each in (trust.carried_heard_probability, trust.silhouette_heard_probability)
        )
    if not carried:
        return Finding("weakens", "Played in other music, the content of the region loses the answer.")
    if silhouette:
        return Finding("neutral", "Played in other music, it keeps the answer. So does its silhouette.")
    return Finding("supports", "Played in other music, what it holds keeps the answer; its silhouette does not.")


def _controls(trust: Trust | TrackTrust) -> Share:
    """All controls as one."""
    return Share(sum(each.n for each in trust.controls.values()), sum(each.kept for each in trust.controls.values()))


def _tried(share: Share | None) -> Share:
    return share or Share(0, 0)

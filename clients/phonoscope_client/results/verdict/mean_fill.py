"""What masking says of a region, as the paper (EUSIPCO 2018) tries it: the rest, or the region, becomes one value.

An outline against such a filling may carry the answer by itself, which random regions do not show.
"""

from __future__ import annotations

from collections.abc import Iterator

from phonoscope_client.results.explanation import Explanation, Trust
from phonoscope_client.results.verdict.finding import Finding

_ONLY_THIS = Finding(
    "weakens",
    "This was tried by masking alone, not by exchange with other music: an outline may keep an answer by itself.",
)

# By whether the region alone keeps the answer, its removal loses it, and most random regions keep it.
_HEADLINES = {
    (True, True, False): "Masked, this region carries the answer: it keeps it alone, and loses it when it is masked.",
    (True, True, True): "The answer needs this region; that it also keeps it says little, for most random ones do.",
    (True, False, False): "This region is enough for the answer, but not needed: without it, the answer stays.",
    (True, False, True): "This says little: most random regions of the same size keep the answer just as well.",
    (False, True, False): "The answer needs this region, but the region alone is not enough for it.",
    (False, True, True): "The answer needs this region, yet most random ones of the same size keep it better.",
    (False, False, False): "This region does not explain the answer: it is neither enough for it nor needed.",
    (False, False, True): "This region does not explain the answer: most random ones of the same size do better.",
}


def headline(trust: Trust) -> str:
    """The first thing to be said of a region that was only masked."""
    return _HEADLINES[trust.label_kept, trust.removal_flips_label, trust.chance_keeps_label]


def findings(trust: Trust) -> Iterator[Finding]:
    """What was tried, and what came of it, where nothing better was."""
    yield _keeping(trust)
    yield _control(trust)
    yield _removal(trust)
    yield _ONLY_THIS


def beside_exchange(trust: Trust) -> Finding:
    """The paper's trial, beside better evidence."""
    does = "keeps" if trust.label_kept else "loses"
    return Finding(
        "neutral",
        f"The paper's trial: with all else masked, the region {does} the answer. An outline may do that by itself.",
    )


def _keeping(trust: Trust) -> Finding:
    if trust.label_kept:
        return Finding("supports", "Keeping only this region keeps the answer.")
    return Finding("weakens", "Keeping only this region loses the answer.")


def _control(trust: Trust) -> Finding:
    kept, drawn = trust.controls_that_keep_label, len(trust.control_probabilities)
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


def played(explanation: Explanation) -> Finding:
    """What is heard of the region, with all else far softer."""
    trust = explanation.trust
    sounds = trust.heard_control_probabilities or ()
    keeps = trust.heard_controls_keep_label or [explanation.meant(each) == explanation.label for each in sounds]
    kept = sum(keeps)
    if not trust.heard_label_kept:
        chance = f", which {kept} of {len(sounds)} random regions keep" if trust.heard_control_label_kept else ""
        return Finding("weakens", f"Played, the region loses the answer{chance}: it works as numbers, not as sound.")
    keeping = "Played, with everything else far softer, the region keeps the answer"
    if not sounds:
        return Finding("neutral", f"{keeping}; no random region was played beside it.")
    if trust.heard_control_label_kept:
        return Finding(
            "neutral", f"{keeping}. So do {kept} of {len(sounds)} random regions of the same size, so that says little."
        )
    return Finding("supports", f"{keeping}; of {len(sounds)} random regions of the same size, {kept or 'none'} does.")

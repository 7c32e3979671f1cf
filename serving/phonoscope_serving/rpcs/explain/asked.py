"""Which rule explains what is asked, and what it is told of that."""

from __future__ import annotations

import numpy as np

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.rules import CONTRAST, LABEL, Rule
from phonoscope_serving.errors import InvalidRequest, NotInBundle, shown
from phonoscope_serving.rpcs.explain.exchange import UNNAMED
from phonoscope_serving.tensors import Array


def rule_for(listener: Listener, name: str, label: str, contrast: str, *, listen: bool) -> Rule:
    """The rule that explains what is asked.

    Args:
        listener: that is asked.
        name: of the rule; empty for its default.
        label: that is to be explained; empty for the one predicted.
        contrast: another, which it is explained against; empty for all others.
        listen: regions are to sound, too.

    Raises:
        InvalidRequest: the listener has no such rule or label.
        NotInBundle: its rule explains no contrast, or there is nothing that makes a region sound.
    """
    listener.decision.check(label, contrast)
    if listen and not listener.is_heard:
        raise NotInBundle(f"the bundle has nothing that makes regions of {listener.name} sound: ask without listen")
    rule = rule_of(listener, name)
    if contrast and not rule.takes_label and listener.decision.kind != "binary":
        raise NotInBundle(f"{rule.name} explains the label that {listener.name} predicts, without a contrast")
    return rule


def rule_of(listener: Listener, name: str) -> Rule:
    """The rule of that name; the listener's default where it is empty.

    Raises:
        InvalidRequest: the listener has no such rule.
    """
    for rule in listener.rules:
        if name in ("", rule.name):
            return rule
    known = ", ".join(rule.name for rule in listener.rules)
    raise InvalidRequest.at("rule", f"is {shown(name)}; the bundle explains by {known}")


def told(listener: Listener, rule: Rule, label: str, contrast: str) -> dict[str, Array]:
    """The numbers of label and contrast, one row each, for a rule that is told them."""
    labels = listener.decision.labels
    given = {LABEL: label, CONTRAST: contrast} if rule.takes_label else {}
    return {field: np.array([[labels.index(name) if name else UNNAMED]], np.int32) for field, name in given.items()}

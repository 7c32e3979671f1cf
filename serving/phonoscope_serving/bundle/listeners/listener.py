"""A listener: a network with its own front-end, labels, layers and rules, and the models that are its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from phonoscope_serving.bundle.exchange import ExchangeBank
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.layers import Layer
from phonoscope_serving.bundle.listeners.decision import Decision
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import InvalidRequest, shown
from phonoscope_serving.tensors import Floats


@dataclass(frozen=True)
class Listener:
    """What is asked, and what can be asked of it."""

    name: str
    suffix: str  # of all its models
    frontend: str  # the model that is its front-end
    decision: Decision
    front_end: FrontEnd
    layers: tuple[Layer, ...]
    rules: tuple[Rule, ...]  # the default first
    exchange: ExchangeBank | None  # None where regions can be tried by mean fill alone
    doubt_quantiles: Floats | None  # `[101]`, 0 % to 100 %; None where it cannot tell how far answers are to be doubted
    reconstruction_error_quantiles: Floats | None  # likewise; None where rules bring no inversion
    inversion_error_quantiles: Mapping[str, Floats]  # layer that can be inverted → `[101]`, likewise; first layer first
    predict_hop_frames: int | None  # from one excerpt of a curve to the next; None where tracks are heard whole
    is_heard: bool  # whether a region can be made sound, and heard

    @property
    def predictions_per_second(self) -> float:
        """Rows of a curve per second."""
        return self.front_end.frames_per_second / (self.predict_hop_frames or 1)

    @property
    def can_be_maximised(self) -> bool:
        """Whether a generator of the bundle would be its: only models without a suffix have one."""
        return not self.suffix

    def model(self, name: str) -> str:
        """The name of one of its own models."""
        return f"{name}{self.suffix}"


def named(listeners: Collection[Listener], name: str) -> Listener:
    """The listener of that name; the first where it is empty.

    Raises:
        InvalidRequest: there is none.
    """
    for listener in listeners:
        if name in ("", listener.name):
            return listener
    known = ", ".join(listener.name for listener in listeners)
    raise InvalidRequest.at("listener", f"is {shown(name)}; the bundle's listeners are {known}")

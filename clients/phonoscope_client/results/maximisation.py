"""What units of a detector want to hear, as frozen dataclasses of plain values and NumPy arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import Axes, BundleReference, Floats, Waveform

Direction = Literal["maximise", "minimise"]


@dataclass(frozen=True)
class MaximisationProgress:
    """How far the optimiser is; one value for each example.

    Attributes:
        step: steps made and evaluated.
        response: the response there.
        prior: logarithm of the prior there, without its constant.
    """

    step: tuple[int, ...]
    response: tuple[float, ...]
    prior: tuple[float, ...]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class MaximisedExample:
    """One sound that was found, and the random one that it was found from.

    Attributes:
        initial_response: of the random start.
        response: of what was found.
        initial_prior: logarithm of the prior at the start, without its constant.
        prior: likewise of what was found.
        initial_probability: the detector's probability of singing at the start, in [0, 1].
        probability: likewise of what was found.
        initial_log_mel: `[T, M]` float32, natural logarithm of the mel magnitude.
        log_mel: likewise of what was found.
        initial_audio: the start as sound; None where it was not asked for.
        audio: what was found as sound; None likewise.
    """

    initial_response: float
    response: float
    initial_prior: float
    prior: float
    initial_probability: float
    probability: float
    initial_log_mel: Floats
    log_mel: Floats
    initial_audio: Waveform | None
    audio: Waveform | None


@dataclass(frozen=True, eq=False)
class Maximisation(Archived):
    """Sounds that a response is largest for, or smallest.

    Attributes:
        bundle: the bundle that answered.
        response: what was maximised or minimised, in words.
        direction: which of the two.
        seed: of the random starts.
        steps: of the optimiser, for every example.
        learning_rate: length of a step.
        prior_weight: how much the prior counted.
        threshold: an example at or above this probability is called vocal.
        axes: where frames and bands lie.
        examples: "1", "2" … → the examples.
        listener: whose response it is.
        label: the label whose output it is; None where it is of other units.
        contrast: the label whose output was subtracted; None where there was none.
    """

    bundle: BundleReference
    response: str
    direction: Direction
    seed: int
    steps: int
    learning_rate: float
    prior_weight: float
    threshold: float
    axes: Axes
    examples: dict[str, MaximisedExample]
    listener: str = "detector"
    label: str | None = None
    contrast: str | None = None

    @property
    def sounds(self) -> dict[str, Waveform]:
        """Every sound by name: "example-1", "example-1-start" …; empty where none was asked for."""
        named = {f"example-{name}": each.audio for name, each in self.examples.items()}
        named |= {f"example-{name}-start": each.initial_audio for name, each in self.examples.items()}
        return {name: sound for name, sound in sorted(named.items()) if sound is not None}

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for `json.dumps`."""
        return {
            "listener": self.listener,
            "label": self.label,
            "contrast": self.contrast,
            "response": self.response,
            "direction": self.direction,
            "seed": self.seed,
            "steps": self.steps,
            "learning_rate": self.learning_rate,
            "prior_weight": self.prior_weight,
            "threshold": self.threshold,
            "examples": [
                {
                    "initial_response": each.initial_response,
                    "response": each.response,
                    "initial_prior": each.initial_prior,
                    "prior": each.prior,
                    "initial_probability": each.initial_probability,
                    "probability": each.probability,
                }
                for each in self.examples.values()
            ],
            "bundle": asdict(self.bundle),
        }

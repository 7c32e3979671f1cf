"""What graphs and ensembles must know of a listener: which network hears what, and how many answers it gives."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, TensorSpec


@dataclass(frozen=True, slots=True)
class Listener:
    """A network with its own front-end, as the models of a bundle are composed of it.

    Every listener's pictures are called `log_mel`, the natural logarithm of the magnitude in each band, and
    `standardised`, what the network is given of that.
    """

    name: str
    network: str  # the graph that answers `excerpt`
    frontend: str  # the graph that makes pictures of `samples`
    suffix: str = ""  # of all models that are its own; one listener of a bundle has none
    picture: tuple[int, int] = EXCERPT  # frames and bands of an excerpt
    samples: int = EXCERPT_SAMPLES  # of an excerpt
    answers: int = 1  # probabilities; 1 where there are two labels
    log_mel: str = "log_mel"  # what its front-end calls these
    standardised: str = "standardised"

    def model(self, name: str) -> str:
        """The name of a model that is its own."""
        return f"{name}{self.suffix}"

    def maps(self, *names: str) -> tuple[TensorSpec, ...]:
        """Time-frequency maps of one excerpt."""
        return tuple(TensorSpec(name, self.picture) for name in names)

    def probabilities(self, *names: str) -> tuple[TensorSpec, ...]:
        """Answers, one number each."""
        return tuple(TensorSpec(name, (self.answers,)) for name in names)

    def sound(self, name: str) -> TensorSpec:
        """Samples of one excerpt."""
        return TensorSpec(name, (self.samples,))


DETECTOR = Listener("detector", "detector", "frontend")

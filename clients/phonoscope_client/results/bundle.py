"""What a service is serving, as frozen dataclasses of plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Layer:
    """One layer of a listener, the shape of its activation for one excerpt, and whether it can be inverted."""

    name: str
    shape: tuple[int, ...]
    invertible: bool


@dataclass(frozen=True)
class Rule:
    """One way to say which bins an answer rests on, and the alpha it is used with where a request gives none.

    It explains any label, or only the one that is predicted.
    """

    name: str
    default_alpha: float
    explains_any_label: bool = False


@dataclass(frozen=True)
class TrainingData:
    """One corpus behind a bundle: its name, licence and the SHA-256 of its description."""

    name: str
    licence: str
    digest: str


@dataclass(frozen=True)
class AudibleNetwork:
    """A network whose features can be heard.

    Attributes:
        network: a listener, such as "tagger" or "detector".
        layers: name of each convolution → how many features it has, first to deepest.
        labels: the classes it tells apart.
        clip_s: seconds of a clip.
    """

    network: str
    layers: dict[str, int]
    labels: tuple[str, ...]
    clip_s: float


@dataclass(frozen=True)
class ExchangeBank:
    """Other music that regions are exchanged with: how many excerpts there are of each answer, and their licence."""

    excerpts: int
    licence: str


@dataclass(frozen=True)
class Listener:
    """A network with its own front-end, labels and layers, which the same questions are put to.

    Attributes:
        name: what it is asked by.
        decision: "binary", one probability and two labels; "multi-class", the most probable label is the answer;
            "multi-label", any number of labels.
        labels: in its order.
        thresholds: a probability at or above it is enough, by label; only of labels that have one.
        layers: first to last.
        sample_rate_hz: of its front-end.
        hop_samples: samples from one frame to the next.
        excerpt_frames: frames in an excerpt.
        bands: how many there are.
        rules: of explanation, the default first.
        rpcs: the questions that the bundle has the parts for.
        exchange: the other music that its regions are exchanged with; None where there is none.
    """

    name: str
    decision: str
    labels: tuple[str, ...]
    thresholds: dict[str, float]
    layers: tuple[Layer, ...]
    sample_rate_hz: int
    hop_samples: int
    excerpt_frames: int
    bands: int
    rules: tuple[Rule, ...]
    rpcs: tuple[str, ...]
    exchange: ExchangeBank | None = None


@dataclass(frozen=True)
class Bundle:
    """What a service is serving.

    Attributes:
        name: name and version.
        digest: SHA-256 over the bundle's files, lower-case hexadecimal.
        layers: the detector's layers, first to last.
        sample_rate_hz: of the front-end.
        hop_samples: samples from one frame to the next.
        frame_samples: samples in a frame.
        excerpt_frames: frames in an excerpt.
        band_centre_hz: centre frequency of each mel band, ascending.
        threshold: a moment at or above this probability is called vocal.
        rules: the rules of explanation, the default first.
        metrics: measured when the bundle was made, by name.
        training_data: the corpora the networks were trained on.
        command: the command that made the bundle.
        audible: the networks whose features can be heard.
        exchange: the other music that regions are exchanged with; None where there is none.
        listeners: what is asked; the first where none is named, and what is said above is of that one. A service of
            before names none.
    """

    name: str
    digest: str
    layers: tuple[Layer, ...]
    sample_rate_hz: int
    hop_samples: int
    frame_samples: int
    excerpt_frames: int
    band_centre_hz: tuple[float, ...]
    threshold: float
    rules: tuple[Rule, ...]
    metrics: dict[str, float]
    training_data: tuple[TrainingData, ...]
    command: str
    audible: tuple[AudibleNetwork, ...] = ()
    exchange: ExchangeBank | None = None
    listeners: tuple[Listener, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return asdict(self)

"""What the layers of a detector keep of one moment, as frozen dataclasses of plain values and NumPy arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import (
    Axes,
    BundleReference,
    Floats,
    Label,
    LabelAnswer,
    SoundWarning,
    Waveform,
    label_of,
    probabilities,
)


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class LayerInversion:
    """What one layer keeps of the excerpt: the spectrogram rebuilt from its activation alone (ISMIR 2018).

    Attributes:
        inverted: `[T, M]` float32, in standardised units.
        reconstruction_error: Euclidean distance between standardised excerpt and inversion, divided by the mean
            distance between two of the bundle's validation excerpts.
        reconstruction_percentile: share of the bundle's validation excerpts with a lower error at this layer, in
            [0, 1].
        out_of_distribution: the inversion fits worse than on 99 % of the bundle's validation excerpts.
        audio: the inversion as sound, with the excerpt's own phase; None where it was not asked for.
    """

    inverted: Floats
    reconstruction_error: float
    reconstruction_percentile: float
    out_of_distribution: bool
    audio: Waveform | None


@dataclass(frozen=True, eq=False)
class Inversions(Archived):
    """What layers keep of one moment. Maps are `[T, M]`: frames, mel bands lowest first.

    Attributes:
        bundle: the bundle that answered.
        at_s: the moment, in seconds of the recording: the frame nearest to the one asked for.
        probability: for the excerpt, in [0, 1]: of singing where that is what the listener hears; of two labels in
            general, of the first; of more, of `label`.
        threshold: at or above this probability the first of two labels, such as "vocal", is the answer.
        axes: where frames and bands lie.
        log_mel: `[T, M]` float32, natural logarithm of the mel magnitude.
        standardised: `[T, M]` float32, the excerpt as the detector was given it: standard deviations from the mean of
            each band. The inversions are in the same units.
        layers: name of layer → what it keeps, in the order asked for; from the first layer to the last where none was
            named.
        original_audio: the excerpt as sound; None where it was not asked for.
        log_mel_audio: the excerpt's own log-mel made into sound as the inversions are, the best that any of them can
            sound; None likewise.
        seconds: what the service took to answer.
        warnings: what is wrong with the recording, where the answer may suffer from it.
        listener: whose layers they are.
        named_label: the label asked for, or the one predicted; None of a service of before.
        contrast: another label that was named; None where there was none.
        labels: name → what the listener says of each of its labels.
    """

    bundle: BundleReference
    at_s: float
    probability: float
    threshold: float
    axes: Axes
    log_mel: Floats
    standardised: Floats
    layers: dict[str, LayerInversion]
    original_audio: Waveform | None
    log_mel_audio: Waveform | None
    seconds: float
    warnings: tuple[SoundWarning, ...] = ()
    listener: str = "detector"
    named_label: Label | None = None
    contrast: Label | None = None
    labels: dict[str, LabelAnswer] = field(default_factory=dict)

    @property
    def label(self) -> Label:
        """The label asked for, or the answer for that moment."""
        return self.named_label or label_of(self.probability, self.threshold)

    @property
    def sounds(self) -> dict[str, Waveform]:
        """Every sound by name: "original", "log-mel", and the layers'; empty where none was asked for."""
        named = {"original": self.original_audio, "log-mel": self.log_mel_audio}
        named |= {name: layer.audio for name, layer in self.layers.items()}
        return {name: sound for name, sound in named.items() if sound is not None}

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for `json.dumps`."""
        return {
            "at_s": self.at_s,
            "listener": self.listener,
            "label": self.label,
            "contrast": self.contrast,
            "labels": probabilities(self.labels),
            "log_odds": {label: said.log_odds for label, said in self.labels.items()},
            "probability": self.probability,
            "threshold": self.threshold,
            "layers": {
                name: {
                    "reconstruction_error": layer.reconstruction_error,
                    "reconstruction_percentile": layer.reconstruction_percentile,
                    "out_of_distribution": layer.out_of_distribution,
                }
                for name, layer in self.layers.items()
            },
            "service_seconds": self.seconds,
            "warnings": [asdict(each) for each in self.warnings],
            "bundle": asdict(self.bundle),
        }

"""What features of a network hear of one moment, as frozen dataclasses of plain values and NumPy arrays."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.archive import Archived
from phonoscope_client.results.parts import Axes, BundleReference, Floats, SoundWarning, Waveform

Network = Literal["tagger", "detector"]
Resynthesis = Literal["phase", "spectrum"]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by; likewise below
class HeardFeature:
    """What one feature hears.

    Attributes:
        feature: its number in the layer, from 0.
        strength: mean absolute activation over its map, in units of its layer.
        heard: `[T, M]` float32, the deconvnet's picture in the units of what the network is given, up to a factor; it
            may be negative, and is 0 everywhere where the feature did not answer.
        audio: the picture as sound; None where it was not asked for.
    """

    feature: int
    strength: float
    heard: Floats
    audio: Waveform | None


@dataclass(frozen=True, eq=False)
class Auralisation(Archived):
    """What features of one layer hear of one clip. Maps are `[T, M]`: frames, bands lowest first.

    Attributes:
        bundle: the bundle that answered.
        at_s: the moment, in seconds of the recording: the frame nearest to the one asked for.
        network: whose features: a listener, such as "tagger" or "detector".
        layer: name of the layer.
        resynthesis: how pictures became sound: "phase", the picture is the magnitude and the recording lends its phase,
            or "spectrum", the recording's complex spectrum times the picture over its largest value.
        axes: where frames and bands lie; the tagger's bands are the bins of a linear spectrum.
        given: `[T, M]` float32, what the network is given: to the tagger a linear magnitude, to the detector a
            standardised log-mel.
        labels: `[K]` the tagger's classes; of the detector, "vocal" alone.
        class_probability: `[K]` float32, what the network says of each.
        features: name such as "conv3-38" → what it hears, in the order asked for, or strongest first.
        original_audio: the clip as sound; None where it was not asked for.
        seconds: what the service took to answer.
        warnings: what is wrong with the recording, where the answer may suffer from it.
        label: the label asked for, or the one predicted; None of a service of before.
        contrast: another label that was named; None where there was none.
        log_odds: `[L]` float32, of each of the listener's labels; of a service of before none.
    """

    bundle: BundleReference
    at_s: float
    network: str
    layer: str
    resynthesis: Resynthesis
    axes: Axes
    given: Floats
    labels: npt.NDArray[np.str_]
    class_probability: Floats
    features: dict[str, HeardFeature]
    original_audio: Waveform | None
    seconds: float
    warnings: tuple[SoundWarning, ...] = ()
    label: str | None = None
    contrast: str | None = None
    log_odds: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def classes(self) -> dict[str, float]:
        """What the network says of each class, in [0, 1]."""
        # The shortest decimals that name these float32 values.
        shares = (float(str(share)) for share in self.class_probability)
        return dict(zip(map(str, self.labels), shares, strict=True))

    @property
    def sounds(self) -> dict[str, Waveform]:
        """Every sound by name: "original" and the features'; empty where none was asked for."""
        named = {"original": self.original_audio} | {name: feature.audio for name, feature in self.features.items()}
        return {name: sound for name, sound in named.items() if sound is not None}

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays, ready for `json.dumps`."""
        return {
            "at_s": self.at_s,
            "network": self.network,
            "listener": self.network,
            "label": self.label,
            "contrast": self.contrast,
            "layer": self.layer,
            "resynthesis": self.resynthesis,
            "classes": self.classes,
            "features": {
                name: {"feature": each.feature, "strength": each.strength, "answers": bool(each.heard.any())}
                for name, each in self.features.items()
            },
            "service_seconds": self.seconds,
            "warnings": [asdict(each) for each in self.warnings],
            "bundle": asdict(self.bundle),
        }

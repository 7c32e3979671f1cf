"""What is asked about a track."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.rpcs.decision import Decision
from phonoscope_serving.rpcs.explain.region import Masking, RegionChoice


class TrustLevel(Enum):
    """How much is tried on each region."""

    NONE = "none"
    KEPT = "kept"  # whether the label is kept when only the region is
    FULL = "full"  # exchange with other music, too


@dataclass(frozen=True)
class Encoded:
    """A file that comes in chunks."""

    size_bytes: int  # 0 where it is not known


@dataclass(frozen=True)
class Pcm:
    """Plain samples that come in chunks."""

    sample_rate_hz: int
    channels: int


@dataclass(frozen=True)
class Moments:
    """Which moments are explained; the contract has the meaning of each."""

    every_s: float = 0.0
    where_label: str = ""  # the label; empty for any
    where_it_changes: bool = False
    most_certain: int = 0
    least_certain: int = 0
    at_s: tuple[float, ...] = ()

    @property
    def in_segments(self) -> bool:
        """Whether each segment of a label has a moment."""
        return bool(self.where_label) and not self.every_s


@dataclass(frozen=True)
class TrackQuestion:
    """What is asked about one track."""

    sound: Encoded | Pcm
    moments: Moments
    region: RegionChoice
    masking: Masking
    trust: TrustLevel
    rule: str = ""  # of the bundle; empty for its default
    control_seed: int | None = None  # None: derived from each excerpt
    decision: Decision | None = None  # None: by the listener's threshold, or its most probable label, alone
    from_s: float = 0.0
    spectrogram: bool = False
    maps: bool = False
    outside_db: float | None = None  # None where nothing is to sound
    label: str = ""  # of the listener; empty for the one that each moment is given
    contrast: str = ""  # another, which it is explained against; empty for all others
    half_maps: bool = False  # return maps in two bytes a value

    def first_frame(self, listener: Listener) -> int:
        """The first that is answered for: of those that have a place in the listener's curve, the last by `from_s`."""
        frame = round(self.from_s * listener.front_end.frames_per_second)
        return frame - frame % (listener.predict_hop_frames or 1)

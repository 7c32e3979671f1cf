"""The front-end: what it makes of sound, and how its frames and samples count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FrontEnd:
    """What the front-end makes of sound."""

    sample_rate_hz: int
    frame_samples: int
    hop_samples: int
    excerpt_frames: int
    excerpt_samples: int
    band_centre_hz: tuple[float, ...]

    @property
    def frames_per_second(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.hop_samples

    @property
    def context_frames(self) -> int:
        """Frames of an excerpt on either side of the one it speaks of."""
        return (self.excerpt_frames - 1) // 2

    @property
    def frames_behind(self) -> int:
        """Whole frames behind it that hold all that an excerpt holds."""
        return -((self.frame_samples - self.excerpt_samples) // self.hop_samples) - self.context_frames

    def frames(self, samples: int) -> int:
        """Whole frames in so many samples."""
        return max(0, 1 + (samples - self.frame_samples) // self.hop_samples)

    def samples(self, frames: int) -> int:
        """Samples that so many frames span."""
        return (frames - 1) * self.hop_samples + self.frame_samples

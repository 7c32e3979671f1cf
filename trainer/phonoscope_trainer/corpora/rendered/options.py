"""What is rendered: how many songs, how long, from which seed."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_trainer.corpora.corpus import Split
from phonoscope_trainer.corpora.rendered.styles import STYLE_NAMES
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.ranges import at_least

SOURCE_RATE_HZ = 22_050  # what the speech synthesiser gives; everything is composed at this rate
MIN_DURATION_S = 4.0
GOLDEN_RATIO = 0.618_033_988_749_895


@dataclass(frozen=True)
class RenderOptions:
    """The rendered corpus, described completely.

    Raises:
        OptionsError: a field is outside its range; the message names it.
    """

    seed: int = 0  # non-negative
    songs: int = 100  # at least 1
    shortest_s: float = 45.0  # songs last U(shortest_s, longest_s)
    longest_s: float = 60.0
    sample_rate_hz: int = SOURCE_RATE_HZ  # of the stems, 8000 to 22 050 Hz
    train_fraction: float = 0.8  # of the songs
    valid_fraction: float = 0.1  # the rest is for testing
    style: str = ""  # of every song, by name; empty: of all styles, by weight

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise OptionsError(f"seed must not be negative, is {self.seed}")
        at_least(1, self, "songs")
        if not MIN_DURATION_S <= self.shortest_s <= self.longest_s:
            raise OptionsError(
                f"shortest_s must be at least {MIN_DURATION_S:g} and at most longest_s, "
                f"are {self.shortest_s:g} and {self.longest_s:g}"
            )
        if not 8000 <= self.sample_rate_hz <= SOURCE_RATE_HZ:
            raise OptionsError(f"sample_rate_hz must lie in [8000, {SOURCE_RATE_HZ}], is {self.sample_rate_hz}")
        if self.style not in ("", *STYLE_NAMES):
            raise OptionsError(f"style must be one of {', '.join(STYLE_NAMES)}, is {self.style!r}")
        for name in ("train_fraction", "valid_fraction"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionsError(f"{name} must lie in [0, 1], is {getattr(self, name):g}")
        if self.train_fraction + self.valid_fraction > 1:
            raise OptionsError("train_fraction and valid_fraction must not add up to more than 1")

    def split_of(self, index: int) -> Split:
        """The split of song `index`."""
        return golden_split(index, self.train_fraction, self.valid_fraction)


def golden_split(song: int, train_fraction: float, valid_fraction: float) -> Split:
    """The split of a song: a golden-ratio sequence, so that every prefix of songs has about the fractions."""
    position = (0.5 + song * GOLDEN_RATIO) % 1
    if position < train_fraction:
        return "train"
    return "valid" if position < train_fraction + valid_fraction else "test"

"""What is rendered: how many songs, how long, from which seed."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_trainer.corpora.corpus import Split
from phonoscope_trainer.corpora.rendered.options import GOLDEN_RATIO, SOURCE_RATE_HZ
from phonoscope_trainer.errors import OptionsError


@dataclass(frozen=True)
class GenreOptions:
    """The genre corpus, described completely.

    Raises:
        OptionsError: a field is outside its range; the message names it.
    """

    seed: int = 0  # non-negative
    songs: int = 180  # each of which is there once a genre; at least 1
    duration_s: float = 20.0  # of an arrangement, at least 4
    sample_rate_hz: int = 11_025  # of the files, 8000 to 22 050
    train_fraction: float = 0.7  # of the songs
    valid_fraction: float = 0.1  # the rest is for testing

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise OptionsError(f"seed must not be negative, is {self.seed}")
        if self.songs < 1:
            raise OptionsError(f"songs must be at least 1, is {self.songs}")
        if not self.duration_s >= 4:
            raise OptionsError(f"duration_s must be at least 4, is {self.duration_s:g}")
        if not 8000 <= self.sample_rate_hz <= SOURCE_RATE_HZ:
            raise OptionsError(f"sample_rate_hz must lie in [8000, {SOURCE_RATE_HZ}], is {self.sample_rate_hz}")
        if not (self.train_fraction >= 0 <= self.valid_fraction and self.train_fraction + self.valid_fraction <= 1):
            raise OptionsError(
                "train_fraction and valid_fraction must not be negative nor add up to more than 1, "
                f"are {self.train_fraction:g} and {self.valid_fraction:g}"
            )

    def split_of(self, song: int) -> Split:
        """The split of a song's three arrangements: a golden-ratio sequence, as in the other rendered corpus."""
        position = (0.5 + song * GOLDEN_RATIO) % 1
        if position < self.train_fraction:
            return "train"
        return "valid" if position < self.train_fraction + self.valid_fraction else "test"

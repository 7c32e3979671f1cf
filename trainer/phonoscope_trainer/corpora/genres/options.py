"""What is rendered: how many songs, how long, from which seed."""

from __future__ import annotations

from dataclasses import dataclass

from phonoscope_trainer.corpora.corpus import Split
from phonoscope_trainer.corpora.rendered.options import SOURCE_RATE_HZ, golden_split
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.ranges import at_least


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
        at_least(1, self, "songs")
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
        """The split of a song's three arrangements."""
        return golden_split(song, self.train_fraction, self.valid_fraction)

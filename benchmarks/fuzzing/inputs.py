"""Damaged files by number, so that each can be made again, here or in another process that is given them.

Writers put serial numbers and the time into some files, so that two runs damage files that are not quite the same.
"""

from __future__ import annotations

from random import Random

from fuzzing.damage import damaged
from fuzzing.formats import files

SECONDS = 1.0  # of sound in each file; damage is found as well as in long ones, and more files are tried


class Damaged:
    """Any number of damaged files, each made when it is wanted."""

    def __init__(self, seed: int) -> None:
        """Makes the files that are damaged.

        Args:
            seed: other seeds give other damage.
        """
        self._seed, self._whole = seed, files(SECONDS)
        self.formats = tuple(self._whole)

    def format(self, number: int) -> str:
        """Which format the file of a number was."""
        return self.formats[number % len(self.formats)]

    def whole(self, number: int) -> bytes:
        """The file of a number before it was damaged."""
        return self._whole[self.format(number)]

    def __getitem__(self, number: int) -> bytes:
        """The file of a number."""
        return damaged(self.whole(number), list(self._whole.values()), Random(f"{self._seed} {number}"))

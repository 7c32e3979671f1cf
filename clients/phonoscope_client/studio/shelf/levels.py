"""What the model hears of a song: its log-mel, one byte a bin, in a file, so that an hour of it takes no memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.parts import Floats

TILE_FRAMES = 256
RANGE_DB = 70.0  # from black to white; what is softer is rarely heard beside the loudest bin
_DB_PER_NEPER = 20 / np.log(10)
_LOWEST, _HIGHEST = -9.0, 5.0  # natural logarithms that a byte tells apart, in steps of half a decibel
_STEPS = 255
_STEP_DB = float((_HIGHEST - _LOWEST) / _STEPS * _DB_PER_NEPER)


class Levels:
    """The log-mel of one song, frame by frame.

    Args:
        path: of the file, which is made.
        bands: of a frame.
    """

    def __init__(self, path: Path, bands: int) -> None:
        self.bands, self.frames = bands, 0
        self._loudest = 0  # byte of the loudest bin so far
        self._file = path.open("w+b", buffering=0)
        path.unlink()  # it goes with its last user

    @property
    def loudest_db(self) -> float:
        """The loudest bin so far, in decibels of the model's own scale; tiles are drawn relative to it."""
        return self._loudest * _STEP_DB

    def append(self, log_mel: Floats) -> None:
        """Adds frames `[n, M]`."""
        steps = np.round((log_mel - _LOWEST) * (_STEPS / (_HIGHEST - _LOWEST)))
        rows = np.clip(steps, 0, _STEPS).astype(np.uint8)
        self._loudest = max(self._loudest, int(rows.max(initial=0)))
        os.pwrite(self._file.fileno(), rows.tobytes(), self.frames * self.bands)
        self.frames += len(rows)

    def tile(self, number: int, halvings: int = 0) -> npt.NDArray[np.uint8]:
        """Columns `[n, M]`, at most 256: 255 the loudest bin, 0 what is 70 dB softer.

        Args:
            number: of tiles of its kind before it.
            halvings: a column is the loudest of 2 to the power of so many frames.
        """
        first, last = (TILE_FRAMES * each << halvings for each in (number, number + 1))
        return self.shown(first, min(self.frames, last), halvings)

    def shown(self, first: int, end: int, halvings: int = 0) -> npt.NDArray[np.uint8]:
        """The same of any stretch of frames."""
        count = max(0, end - first) * self.bands
        kept = np.frombuffer(os.pread(self._file.fileno(), count, first * self.bands), np.uint8)
        if halvings:
            frames = kept.reshape(-1, self.bands)
            kept = np.maximum.reduceat(frames, np.arange(0, len(frames), 1 << halvings), axis=0)
        below_db = (self._loudest - kept.astype(np.float32)) * np.float32(_STEP_DB)
        shares = np.clip(1 - below_db / np.float32(RANGE_DB), 0, 1)
        levels: npt.NDArray[np.uint8] = np.round(_STEPS * shares).astype(np.uint8).reshape(-1, self.bands)
        return levels

    def close(self) -> None:
        """Ends the file."""
        self._file.close()

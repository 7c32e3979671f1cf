"""Maps as the page is sent them: one byte a bin, frame by frame, lowest band first."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from phonoscope_client.results.parts import Axes, Floats
from phonoscope_client.studio.shelf.levels import RANGE_DB

Bytes = npt.NDArray[np.uint8]
_NEPERS = RANGE_DB * np.log(10) / 20


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Grid:
    """The frames and bands of what is shown of a song: from its start on, whoever listens.

    Attributes:
        frames_per_second: frames per second.
        band_hz: `[M]` centre frequency of each band, ascending.
    """

    frames_per_second: float
    band_hz: Floats


def text(values: Bytes) -> str:
    """Bytes as JSON holds them."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def picture(values: Floats, low: float, high: float) -> dict[str, Any]:
    """A map `[T, M]`, black at one value and white at another."""
    shares = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return of_bytes(np.round(255 * shares).astype(np.uint8))


def of_bytes(values: Bytes) -> dict[str, Any]:
    """A map of bytes `[T, M]`."""
    frames, bands = values.shape
    return {"frames": frames, "mels": bands, "bytes": text(values)}


def log_mel_picture(log_mel: Floats) -> dict[str, Any]:
    """A log-mel `[T, M]`, down to 70 dB below its loudest bin."""
    loudest = float(log_mel.max())
    return picture(log_mel, loudest - _NEPERS, loudest)


def on_grid(values: Bytes, axes: Axes, grid: Grid) -> tuple[Bytes, float]:
    """A map on the frames and bands of what is shown, each bin with the value of the nearest; 0 where there is none.

    Args:
        values: `[T, M]`, on the axes of the listener that answered.
        axes: those.
        grid: the one that is shown.

    Returns:
        The map, and where its first frame begins, in seconds of the song.
    """
    start_frame = round(axes.start_s * grid.frames_per_second)
    own_bands = np.array_equal(axes.band_centre_hz, grid.band_hz)
    if own_bands and abs(axes.frames_per_second - grid.frames_per_second) < 1e-6:
        return values, start_frame / grid.frames_per_second
    count = round(len(values) / axes.frames_per_second * grid.frames_per_second)
    at = ((np.arange(count) + 0.5) / grid.frames_per_second * axes.frames_per_second).astype(int)
    nearest = np.abs(axes.band_centre_hz[None, :] - grid.band_hz[:, None]).argmin(axis=1)
    shown = values[np.minimum(at, len(values) - 1)][:, nearest]
    shown[:, grid.band_hz > axes.band_centre_hz[-1]] = 0
    return shown, start_frame / grid.frames_per_second

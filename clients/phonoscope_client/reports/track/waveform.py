"""A recording's waveform, as far as a page can show it: the lowest and highest sample of each column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import InvalidInputError
from phonoscope_client.transport.decoding import stretches

FULL_SCALE = 127


def extremes(song: Path, *, start_s: float, columns: int, columns_per_second: float) -> npt.NDArray[np.int8] | None:
    """Lowest and highest sample, channels averaged, of each column.

    Args:
        song: the recording's file.
        start_s: where the first column begins, in seconds of it.
        columns: how many there are.
        columns_per_second: how many a second has.

    Returns:
        `[columns, 2]` int8, 127 for full scale; None where nothing can be decoded here.
    """
    found = np.zeros((columns, 2), np.float32)
    try:
        for each in stretches(song):
            mono = each.samples.mean(axis=1)
            at_s = (each.first + np.arange(len(mono))) / each.sample_rate_hz - start_s
            column = np.floor(at_s * columns_per_second).astype(np.int64)
            inside = (column >= 0) & (column < columns)
            np.minimum.at(found[:, 0], column[inside], mono[inside])
            np.maximum.at(found[:, 1], column[inside], mono[inside])
    except InvalidInputError:
        return None
    return np.round(FULL_SCALE * np.clip(found, -1, 1)).astype(np.int8)

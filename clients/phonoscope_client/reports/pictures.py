"""Pictures of time-frequency maps: one pixel a bin, with ticks that say where seconds and hertz lie."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_hex
from matplotlib.image import imsave
from matplotlib.ticker import MaxNLocator

from phonoscope_client.results.parts import Floats
from phonoscope_client.results.wording import clock, hertz

DB_PER_NEPER = 20 / math.log(10)  # decibels in one unit of a natural logarithm of magnitude
FREQUENCIES_HZ = (100, 200, 500, 1000, 2000, 5000, 8000)  # where a large picture has ticks


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place as a share of the axis, from the left or the bottom, and its text."""

    place: float
    text: str


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes:
        colormap: name of a Matplotlib colour map.
        low: the value its first colour stands for.
        high: the value its last colour stands for.
    """

    colormap: str
    low: float
    high: float

    def gradient(self, stops: int = 12) -> list[str]:
        """The scale's colours from low to high, as `#rrggbb`."""
        return [to_hex(colour) for colour in mpl.colormaps[self.colormap](np.linspace(0, 1, stops))]


def decibels(log_mel: Floats) -> Floats:
    """`[T, M]` natural-log magnitudes as decibels below the loudest bin."""
    levels: Floats = (log_mel - log_mel.max()) * np.float32(DB_PER_NEPER)
    return levels


def png(values: Floats, scale: Scale, *, inside: npt.NDArray[np.bool_] | None = None) -> bytes:
    """A PNG of a `[T, M]` map: time to the right, lowest band at the bottom, transparent outside `inside`."""
    shares = np.clip((values - scale.low) / (scale.high - scale.low), 0, 1)
    colours = mpl.colormaps[scale.colormap](shares, bytes=True)
    if inside is not None:
        colours[~inside] = 0
    file = io.BytesIO()
    imsave(file, np.ascontiguousarray(colours.swapaxes(0, 1)[::-1]), format="png")
    return file.getvalue()


def frequency_ticks(band_centre_hz: Floats, at_hz: Sequence[float] = FREQUENCIES_HZ) -> list[Tick]:
    """Where frequencies lie on the axis of M equally tall bands; a band's centre frequency is in its middle.

    Frequencies between two centres are placed in proportion; those beyond the outermost bands are left out.
    """
    bands = np.arange(len(band_centre_hz))
    # One band further on either side, so that the outermost half bands have a frequency as well.
    centres = np.concatenate(
        [
            [2 * band_centre_hz[0] - band_centre_hz[1]],
            band_centre_hz,
            [2 * band_centre_hz[-1] - band_centre_hz[-2]],
        ]
    )
    positions = np.interp(at_hz, centres, np.arange(-1, len(bands) + 1), left=np.nan, right=np.nan)
    places = (positions + 0.5) / len(bands)
    return [
        Tick(float(place), hertz(frequency)) for place, frequency in zip(places, at_hz, strict=True) if 0 <= place <= 1
    ]


def time_ticks(start_s: float, stop_s: float, *, most: int = 10) -> list[Tick]:
    """Round times from one to another, about `most`, in seconds, or minutes and seconds where they are many."""
    long = stop_s - start_s > 100
    steps = [1, 1.5, 3, 6, 10] if long else [1, 2, 5, 10]
    times = [time for time in MaxNLocator(most, steps=steps).tick_values(start_s, stop_s) if start_s <= time <= stop_s]
    decimals = next(n for n in range(7) if np.allclose(times, np.round(times, n), atol=1e-6))
    return [
        Tick(
            float((time - start_s) / (stop_s - start_s)),
            clock(time) if long else f"{abs(time) if abs(time) < 1e-6 else time:.{decimals}f}",
        )
        for time in times
    ]

"""What templates draw: pictures with their axes, colour bars, players, and the cells of a grid."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope_client.reports.pictures import FREQUENCIES_HZ, Scale, Tick, frequency_ticks, time_ticks
from phonoscope_client.results.parts import Axes, Waveform, wav


@dataclass(frozen=True)
class Plot:
    """A picture with its axes.

    Attributes:
        description: what it shows, for those who cannot see it.
        x: ticks below it.
        y: ticks to its left.
        image: address that holds a PNG; empty where the template draws the picture itself.
    """

    description: str
    x: Sequence[Tick]
    y: Sequence[Tick]
    image: str = ""


@dataclass(frozen=True)
class ColourBar:
    """What a picture's colours stand for: the values at both ends, what they count, and the colours between."""

    low: str
    high: str
    title: str
    colours: Sequence[str]


@dataclass(frozen=True)
class Player:
    """Controls for a sound: its name, and an address that holds it."""

    name: str
    source: str


@dataclass(frozen=True)
class Cell:
    """One picture of a grid, with a note, a warning where there is one, and players below it."""

    title: str
    plot: Plot
    note: str
    players: Sequence[Player]
    warning: str = ""


def span_s(axes: Axes, frames: int) -> tuple[float, float]:
    """First and last second of a map."""
    return axes.start_s, axes.start_s + frames / axes.frames_per_second


def map_plot(
    png: bytes,
    description: str,
    axes: Axes,
    frames: int,
    *,
    times: int = 10,
    at_hz: Sequence[float] = FREQUENCIES_HZ,
) -> Plot:
    """The picture of a time-frequency map.

    Args:
        png: the picture.
        description: for those who cannot see it.
        axes: where frames and bands lie.
        frames: how many the map has.
        times: about how many ticks there are below it.
        at_hz: where ticks are to its left.
    """
    x, y = time_ticks(*span_s(axes, frames), most=times), frequency_ticks(axes.band_centre_hz, at_hz)
    return Plot(description, x, y, data_uri("image/png", png))


def colour_bar(scale: Scale, low: str, high: str, title: str) -> ColourBar:
    """The colours of a scale."""
    return ColourBar(low, high, title, scale.gradient())


def players(sounds: Iterable[tuple[str, Waveform | None]], *, gain: float) -> list[Player]:
    """A player for each sound that there is, made louder or softer by a gain."""
    return [
        Player(name, data_uri("audio/wav", wav(sound.samples, sound.sample_rate_hz, gain=gain)))
        for name, sound in sounds
        if sound is not None
    ]


def common_gain(sounds: Iterable[Waveform]) -> float:
    """The gain for all of some sounds at which none exceeds full scale; at most 1."""
    peaks = [float(np.abs(sound.samples).max(initial=0)) for sound in sounds]
    return 1 / max([1.0, *peaks])


def data_uri(mime_type: str, data: bytes) -> str:
    """Bytes as an address that holds them."""
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"

"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from phonoscope_client.results.parts import VOCAL, LabelAnswer, NearestExample, SoundWarning


def percent(share: float) -> str:
    """A share of [0, 1] as a whole percentage, never rounded to 0 or 100 unless it is that."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def clock(time_s: float) -> str:
    """A time as minutes and the nearest second, such as 2:05."""
    minutes, seconds = divmod(round(time_s), 60)
    return f"{minutes}:{seconds:02d}"


def clock_exact(time_s: float) -> str:
    """A time as minutes and seconds to a tenth, such as 2:05.3."""
    minutes, tenths = divmod(round(10 * time_s), 600)
    return f"{minutes}:{tenths // 10:02d}.{tenths % 10}"


def warning(told: SoundWarning) -> str:
    """What a warning is of and where, such as "gap, 1:02 to 1:04"."""
    kind = told.kind.replace("_", " ")
    start, end = clock(told.start_s), clock(told.end_s)
    return f"{kind}, {start}" if start == end else f"{kind}, {start} to {end}"


def hertz(frequency_hz: float) -> str:
    """A frequency in Hz or kHz."""
    return f"{frequency_hz / 1000:g} kHz" if frequency_hz >= 1000 else f"{frequency_hz:g} Hz"


def spoken_of(label: str) -> str:
    """What a probability is of, such as "singing"."""
    return "singing" if label == VOCAL else label


def each_label(labels: Mapping[str, LabelAnswer]) -> str:
    """What is said of each label, the most probable first."""
    ranked = sorted(labels.items(), key=lambda each: -each[1].probability)
    return ", ".join(f"{label} {said.probability:.2f}" for label, said in ranked)


def alike(example: NearestExample) -> str:
    """An example that the listener holds for alike, as in "rendered 2027/4 at 3.20 s (vocal), distance 0.41"."""
    return f"{example.song} at {example.start_s:.2f} s ({example.label}), distance {example.distance:.2f}"

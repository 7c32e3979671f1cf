"""Vocal labels: `.lab` files of `start end sing|nosing` lines, in seconds, and their frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.writing import write_text

LABELS = {"sing": True, "nosing": False}


def read_lab(path: Path) -> tuple[Segment, ...]:
    """Sung segments of a `.lab` file; touching ones are merged.

    Raises:
        CorpusError: the file cannot be read, or a line is not `start end sing|nosing` with start <= end.
    """
    sung: list[Segment] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            start, end, label = line.split()
            segment, is_sung = Segment(float(start), float(end)), LABELS[label]
        except (ValueError, KeyError) as error:
            raise CorpusError(f"{path}:{number}: expected 'start end sing|nosing', found {line!r}") from error
        if not 0 <= segment.start_s <= segment.end_s:
            raise CorpusError(f"{path}:{number}: needs 0 <= start <= end, found {line!r}")
        if is_sung and segment.end_s > segment.start_s:
            if sung and sung[-1].end_s == segment.start_s:
                segment = Segment(sung.pop().start_s, segment.end_s)
            sung.append(segment)
    return tuple(sung)


def merge_gaps(vocals: Iterable[Segment], gap_s: float) -> tuple[Segment, ...]:
    """Segments with every pause shorter than `gap_s` seconds closed."""
    merged: list[Segment] = []
    for segment in vocals:
        if merged and segment.start_s - merged[-1].end_s < gap_s:
            segment = Segment(merged.pop().start_s, segment.end_s)  # noqa: PLW2901 - the segment grows backwards
        merged.append(segment)
    return tuple(merged)


def write_lab(path: Path, vocals: Iterable[Segment], duration_s: float) -> None:
    """Write sung segments, and the gaps between them as `nosing`, to the millisecond; whole or not at all."""
    lines, position = [], 0.0
    for segment in vocals:
        if segment.start_s > position:
            lines.append(f"{position:.3f} {segment.start_s:.3f} nosing")
        lines.append(f"{segment.start_s:.3f} {segment.end_s:.3f} sing")
        position = segment.end_s
    if duration_s > position:
        lines.append(f"{position:.3f} {duration_s:.3f} nosing")
    write_text(path, "\n".join(lines) + "\n")


def frame_labels(vocals: Iterable[Segment] | None, frames: int, frames_per_second: float) -> NDArray[np.bool_]:
    """`[frames]` whether each frame is sung; a frame's time is its start, `i / frames_per_second`.

    Raises:
        CorpusError: `vocals` is None: nobody has labelled the recording.
    """
    if vocals is None:
        raise CorpusError("an unlabelled recording (all of FMA are) can neither train nor test a detector")
    times = np.arange(frames) / frames_per_second
    labels = np.zeros(frames, dtype=bool)
    for segment in vocals:
        labels |= (times >= segment.start_s) & (times < segment.end_s)
    return labels


def segments_of(sung: NDArray[np.bool_], frames_per_second: float) -> tuple[Segment, ...]:
    """The segments of frames `[N]`, the inverse of `frame_labels`; times are rounded to the millisecond."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], sung.astype(int), [0]))))
    times = [round(float(edge) / frames_per_second, 3) for edge in edges]
    return tuple(Segment(start_s, end_s) for start_s, end_s in zip(times[::2], times[1::2], strict=True))

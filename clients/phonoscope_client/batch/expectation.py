"""What a file is expected to be called, and how far an answer agrees with that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import invalid

# What manifests and .lab files of singing call the two answers of the singing-voice detector.
EXPECTATIONS = {
    "vocal": "vocal",
    "sing": "vocal",
    "all": "vocal",
    "instrumental": "instrumental",
    "nosing": "instrumental",
    "none": "instrumental",
}


@dataclass(frozen=True)
class Expectation:
    """Stretches of one expected label each; what lies outside all of them is not judged.

    Attributes:
        stretches: start and end in seconds, and the label between them.
    """

    stretches: tuple[tuple[float, float, str], ...]

    @property
    def label(self) -> str | None:
        """The label that is expected all through; None where there are several."""
        labels = {label for _, _, label in self.stretches}
        return labels.pop() if len(labels) == 1 else None

    def at(self, at_s: float) -> str | None:
        """The label that is expected at a moment; None where none is."""
        return next((label for start_s, end_s, label in self.stretches if start_s <= at_s < end_s), None)

    def agreement(self, labels: npt.NDArray[np.str_], start_s: float, frames_per_second: float) -> float | None:
        """Share of the frames, of those something is expected of, whose label is the expected one.

        Args:
            labels: `[T]` label of each frame.
            start_s: where the first of them starts.
            frames_per_second: frames per second.
        """
        time_s = start_s + np.arange(len(labels)) / frames_per_second
        judged = agreed = 0
        for begin_s, end_s, label in self.stretches:
            inside = labels[(time_s >= begin_s) & (time_s < end_s)]
            judged, agreed = judged + len(inside), agreed + int(np.count_nonzero(inside == label))
        return float(agreed / judged) if judged else None


def expectation(expected: str | None) -> Expectation | None:
    """What a manifest expects: a label all through, or what the `.lab` file at a path says.

    Raises:
        InvalidInputError: the file is not there, or is no `.lab`.
    """
    if expected is None:
        return None
    if not expected.endswith(".lab"):
        return Expectation(((0.0, float("inf"), expected),))
    try:
        lines = Path(expected).read_text(encoding="utf-8").splitlines()
        fields = [line.split(maxsplit=2) for line in lines if line.strip()]
        stretches = [(float(start), float(end), label.strip()) for start, end, label in fields]
    except (OSError, ValueError) as error:
        raise invalid("expected", f"{expected!r} cannot be read as start, end and label a line: {error}") from error
    return Expectation(tuple((start, end, EXPECTATIONS.get(label, label)) for start, end, label in stretches))

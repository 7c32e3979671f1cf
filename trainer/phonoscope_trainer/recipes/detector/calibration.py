"""What validation data say of a trained detector: how its logits become probabilities, and from which on it is singing.

Kept with the run, so that whatever is trained on the detector, judges it or ships it hears the same one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.writing import write_text

CALIBRATION = "calibration.json"


@dataclass(frozen=True, slots=True)
class Family:
    """What one family of validation recordings says at the threshold."""

    groups: int  # artists or sources
    recordings: int
    error: float  # mean over groups of their share of frames called wrongly
    worst_group: str
    worst_group_error: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The probability is sigmoid(scale·logit + offset); at the threshold or above it a frame is called sung."""

    scale: float
    offset: float
    threshold: float
    calibration_error: float  # mean distance between probabilities and the share of frames that is sung
    calibration_error_before: float  # the same with scale 1 and offset 0
    rule: str  # by which the threshold was chosen
    families: Mapping[str, Family]  # on which


def keep(run: Path, calibration: Calibration, updates: int) -> None:
    """Write a calibration beside the checkpoint that it belongs to, the one of so many updates."""
    write_text(run / CALIBRATION, json.dumps(asdict(calibration) | {"updates": updates}, indent=2) + "\n")


def kept(run: Path, updates: int) -> Calibration | None:
    """The calibration of a run's checkpoint of so many updates; None where it has none, or that of another checkpoint.

    Raises:
        CheckpointError: it cannot be read.
    """
    path = run / CALIBRATION
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("updates") != updates:
            return None
        families = {name: Family(**each) for name, each in document.pop("families").items()}
        return Calibration(**document, families=families)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is no calibration: {error}") from error

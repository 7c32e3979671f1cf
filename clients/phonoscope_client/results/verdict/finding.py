"""What a verdict consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Bearing = Literal["supports", "weakens", "neutral"]


@dataclass(frozen=True)
class Finding:
    """One thing that was tried, what came of it, and whether that speaks for the explanation."""

    bearing: Bearing
    text: str

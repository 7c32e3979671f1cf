"""What every file of a catalogue is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ASKS = ("curve", "segments", "explain")


@dataclass(frozen=True)
class CatalogueQuestion:
    """What every file is asked.

    Attributes:
        ask: some of "curve", "segments" and "explain": what rows are to hold.
        settings: arguments of `Client.explain_track`, moments included.
        timeout_s: seconds one file may take.
    """

    ask: tuple[str, ...]
    settings: dict[str, Any]
    timeout_s: float

    def to_json(self) -> dict[str, Any]:
        """What rows hang on, ready for `json.dumps`."""
        return {"ask": sorted(self.ask), "settings": dict(sorted(self.settings.items()))}

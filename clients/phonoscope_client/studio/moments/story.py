"""A story: what somebody found, to pass on, as one page that needs nothing but itself, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Story:
    """What is passed on.

    Attributes:
        html: the page.
        data: everything but pictures and sounds, ready for `json.dumps`.
    """

    html: str
    data: dict[str, Any]

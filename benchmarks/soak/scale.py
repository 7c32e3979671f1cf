"""How long a soak goes on, and how often things are done to the service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Bounds of every part, in seconds and counts."""

    idle_s: float = 10.0  # one caller alone
    capacity_s: float = 20.0  # as many callers as keep the service busy
    overload_s: float = 60.0  # of arrivals, `overload` times as many as the service can answer; twice
    overload: float = 10.0
    deadline_s: float = 2.0  # of every call, the second time
    mixed_s: float = 40.0  # of explanations alone, as long beside a maximisation, and beside a long recording
    kills: int = 5  # of the Triton server
    swaps: int = 20  # of the bundle
    stops: int = 20  # of a replica
    joined_s: float = 60.0  # from the moment a third replica is ready
    counted_s: float = 10.0  # at the end of that, in which its share is counted
    callers: int = 8


FULL = Scale()
QUICK = Scale(
    idle_s=2.0,
    capacity_s=4.0,
    overload_s=6.0,
    mixed_s=6.0,
    kills=1,
    swaps=2,
    stops=2,
    joined_s=45.0,
    counted_s=5.0,
    callers=4,
)

"""Seeds of single steps: what a step draws depends on seed and step alone, so a resumed run repeats it."""

from __future__ import annotations

STEPS_APART = 1_000_003  # more than a run has steps, so runs of other seeds share no step's seed


def step_seed(seed: int, step: int) -> int:
    """The seed of one step of the run with this seed."""
    return seed * STEPS_APART + step

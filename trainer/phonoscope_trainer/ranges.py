"""Ranges of options, checked where the options are made."""

from __future__ import annotations

from phonoscope_trainer.errors import OptionsError


def at_least(limit: int, options: object, *names: str) -> None:
    """Check that the named fields of some options are no less than a limit.

    Raises:
        OptionsError: one is less; the message names it.
    """
    for name in names:
        if getattr(options, name) < limit:
            raise OptionsError(f"{name} must be at least {limit}, got {getattr(options, name)}")

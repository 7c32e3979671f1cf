"""Packages that only one corpus needs, imported when that corpus is read."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from phonoscope_trainer.errors import CorpusError


def optional_package(name: str) -> ModuleType:
    """The package called `name`.

    Raises:
        CorpusError: it is not installed; the message names the extra that brings it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise CorpusError(
            f"this corpus is read with {name}, which is not there ({error}): pip install 'phonoscope[corpora]'"
        ) from error

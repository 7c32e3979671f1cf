"""Packages that only one corpus or one option needs, imported when that is asked for."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from phonoscope_trainer.errors import CorpusError


def optional_package(name: str, extra: str = "corpora", what: str = "this corpus is read") -> ModuleType:
    """The package called `name`.

    Args:
        name: of the package.
        extra: of Phonoscope, which brings it.
        what: is done with it, for the message.

    Raises:
        CorpusError: it is not installed; the message names the extra that brings it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise CorpusError(
            f"{what} with {name}, which is not there ({error}): pip install 'phonoscope[{extra}]'"
        ) from error

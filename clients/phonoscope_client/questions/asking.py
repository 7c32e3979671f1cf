"""A question as a method of a client: with what the question takes, and with its documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def asks(question: Callable[..., Any], ask: Method, returns: str = "") -> Method:
    """A method that is what its question is, to `help` and to whoever completes its arguments.

    Args:
        question: takes what the method takes.
        ask: asks it.
        returns: what the method returns, where that is not what the question is read as.
    """
    known = inspect.signature(question)
    read_as = re.sub(r"^\w*Question\[(.*)\]$", r"\1", str(known.return_annotation))
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    shown = known.replace(parameters=[itself, *known.parameters.values()], return_annotation=returns or read_as)
    ask.__name__, ask.__doc__, ask.__signature__ = question.__name__, question.__doc__, shown  # type: ignore[attr-defined]
    return ask

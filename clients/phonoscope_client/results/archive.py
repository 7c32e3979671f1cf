"""Results as `.npz` files: one entry a field, nested fields by dotted name, no pickle.

`numpy.load(path)["trust.relative_area"]` works wherever NumPy does, with or without Phonoscope.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import invalid
from phonoscope_client.files import replacing

Result = TypeVar("Result")


class Archived:
    """What dataclasses of arrays, scalars, such dataclasses and dictionaries of them inherit, to be kept in a file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one `.npz` file, which `numpy.load` reads too; what is None has no entry."""
        with replacing(path) as file:  # given a name instead, NumPy would append ".npz" to some
            np.savez_compressed(file, allow_pickle=False, **dict(_entries(self, "")))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote, exactly; arrays are read-only.

        Raises:
            InvalidInputError: the file does not exist or holds nothing of this kind.
        """
        try:
            with np.load(path, allow_pickle=False) as archive:
                entries = {name: archive[name] for name in archive.files}
            return _build(cls, "", entries)
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            message = f"{os.fspath(path)!r} does not hold a saved {cls.__name__} ({error})"
            raise invalid("path", message) from error


def _entries(result: object, prefix: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for name, value in (result if isinstance(result, dict) else vars(result)).items():
        if is_dataclass(value) or isinstance(value, dict):
            yield from _entries(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, np.asarray(value)


def _build(kind: type[Result], prefix: str, entries: Mapping[str, npt.NDArray[Any]]) -> Result:
    values: dict[str, object] = {}
    for name, declared in get_type_hints(kind).items():
        alternatives = get_args(declared) if isinstance(declared, UnionType) else (declared,)
        nested = next((each for each in alternatives if isinstance(each, type) and is_dataclass(each)), None)
        below = f"{prefix}{name}."
        if get_origin(declared) is dict:
            named = dict.fromkeys(e.removeprefix(below).split(".")[0] for e in entries if e.startswith(below))
            values[name] = {key: _build(get_args(declared)[1], f"{below}{key}.", entries) for key in named}
        elif nested is None and NoneType in alternatives and prefix + name not in entries:
            values[name] = None
        elif any(get_origin(each) is tuple for each in alternatives):
            values[name] = tuple(entries[prefix + name].tolist())
        elif nested is None:
            values[name] = _value(entries[prefix + name])
        elif NoneType in alternatives and not any(each.startswith(below) for each in entries):
            values[name] = None
        else:
            values[name] = _build(nested, below, entries)
    return kind(**values)


def _value(entry: npt.NDArray[Any]) -> object:
    if entry.ndim == 0:
        return entry.item()
    entry.setflags(write=False)
    return entry

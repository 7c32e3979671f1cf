"""Results as `.npz` files: one entry a field, nested fields by dotted name, no pickle.

`numpy.load(path)["trust.relative_area"]` works wherever NumPy does, with or without Phonoscope. Several of one kind go
by their numbers, as in `warnings.0.sentence`. A field that an older file lacks has its default.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import invalid
from phonoscope_client.files import replacing

Result = TypeVar("Result")


class Archived:
    """What dataclasses of arrays, scalars, such dataclasses, and dictionaries and tuples of them inherit to be kept."""

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
        if isinstance(value, tuple) and value and all(map(is_dataclass, value)):
            yield from _entries(dict(enumerate(value)), f"{prefix}{name}.")
        elif is_dataclass(value) or isinstance(value, dict):
            yield from _entries(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, np.asarray(value)


def _build(kind: type[Result], prefix: str, entries: Mapping[str, npt.NDArray[Any]]) -> Result:
    declared = get_type_hints(kind)
    return kind(
        **{
            field.name: _field(declared[field.name], prefix + field.name, entries)
            for field in fields(kind)  # type: ignore[arg-type]  # results are dataclasses
            if (field.default is MISSING and field.default_factory is MISSING) or _holds(entries, prefix + field.name)
        }
    )


def _field(declared: Any, name: str, entries: Mapping[str, npt.NDArray[Any]]) -> object:  # noqa: ANN401 - a type, or what `typing` makes of several
    members = get_args(declared)
    alternatives = members if isinstance(declared, UnionType) else (declared,)
    nested = next((each for each in alternatives if isinstance(each, type) and is_dataclass(each)), None)
    if get_origin(declared) is dict:
        return {key: _build(members[1], f"{name}.{key}.", entries) for key in _keys(entries, name)}
    if get_origin(declared) is tuple and isinstance(members[0], type) and is_dataclass(members[0]):
        return tuple(_build(members[0], f"{name}.{key}.", entries) for key in _keys(entries, name))
    if NoneType in alternatives and not _holds(entries, name):
        return None
    if nested is not None:
        return _build(nested, f"{name}.", entries)
    if any(get_origin(each) is tuple for each in alternatives):
        return tuple(entries[name].tolist())
    return _value(entries[name])


def _holds(entries: Mapping[str, npt.NDArray[Any]], name: str) -> bool:
    return name in entries or any(each.startswith(f"{name}.") for each in entries)


def _keys(entries: Mapping[str, npt.NDArray[Any]], name: str) -> Iterator[str]:
    """What the entries below a name begin with, each once, in order."""
    below = f"{name}."
    yield from dict.fromkeys(each.removeprefix(below).split(".")[0] for each in entries if each.startswith(below))


def _value(entry: npt.NDArray[Any]) -> object:
    if entry.ndim == 0:
        return entry.item()
    entry.setflags(write=False)
    return entry

"""Arrays that follow a rule, as the few numbers that they are made of and the nodes that make them again.

Discrete Fourier transforms hold one period of a cosine thousands of times, and what overlapping windows add up to
repeats itself with every hop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[np.generic]
PERIODS = (512, 1024)  # samples of the transforms that bundles have
FIRST_ROWS = (0, 1)  # the sine of frequency 0 is left out
LONGEST_PERIOD = 4096  # of what repeats
LEAST_SAVED = 4  # times as large as what it is made of


@dataclass(frozen=True, slots=True)
class Made:
    """How an array is made."""

    nodes: tuple[onnx.NodeProto, ...]
    of: tuple[onnx.TensorProto, ...]


def by_rule(name: str, array: Array) -> Made | None:
    """How an array `name` is made of far fewer numbers; None where no rule is known that gives the same bits."""
    if array.ndim == 2:
        return _of_products(name, array)
    return _repeating(name, array) if array.ndim == 1 else None


def _of_products(name: str, array: Array) -> Made | None:
    """`[R, C]` of which element (i, j) hangs on (first + i) j modulo a period alone, as e^(2πi fn / N) does."""
    rows, columns = array.shape
    for period in (each for each in PERIODS if array.size >= LEAST_SAVED * each):
        for first in FIRST_ROWS:
            places = np.outer(np.arange(first, first + rows), np.arange(columns)) % period
            table = np.zeros(period, array.dtype)
            table[places] = array
            if _same(table[places], array):
                return _products(name, table, first, array.shape)
    return None


def _products(name: str, table: Array, first: int, shape: tuple[int, ...]) -> Made:
    numbers: Mapping[str, list[int] | int] = {
        "zero": 0,
        "one": 1,
        "first_row": first,
        "last_row": first + shape[0],
        "columns": shape[1],
        "period": len(table),
        "upright": [-1, 1],
    }
    made = {each: f"{name}_{each}" for each in (*numbers, "row", "rows", "column", "products", "places", "values")}
    operations = (
        ("Range", ("first_row", "last_row", "one"), "row"),
        ("Reshape", ("row", "upright"), "rows"),
        ("Range", ("zero", "columns", "one"), "column"),
        ("Mul", ("rows", "column"), "products"),
        ("Mod", ("products", "period"), "places"),
    )
    nodes = [_integers(made[each], value) for each, value in numbers.items()]
    nodes += [helper.make_node(kind, [made[each] for each in given], [made[out]]) for kind, given, out in operations]
    nodes.append(helper.make_node("Gather", [made["values"], made["places"]], [name], axis=0))
    return Made(tuple(nodes), (numpy_helper.from_array(table, made["values"]),))


def _repeating(name: str, array: Array) -> Made | None:
    """`[N]` that repeats itself but for its beginning and its end."""
    middle, bits = array.size // 2, _bits(array)
    for period in range(1, min(LONGEST_PERIOD, array.size // (2 * LEAST_SAVED)) + 1):
        if bits[middle] != bits[middle + period]:
            continue
        differs = np.flatnonzero(bits[:-period] != bits[period:])
        after = int(np.searchsorted(differs, middle))
        start = int(differs[after - 1]) + 1 if after else 0
        stop = int(differs[after]) + period if after < len(differs) else array.size
        times = (stop - start) // period
        kept = array.size - (times - 1) * period
        if kept * LEAST_SAVED <= array.size:
            end = start + times * period
            return _repeated(name, array[:start], array[start : start + period], times, array[end:])
    return None


def _repeated(name: str, before: Array, once: Array, times: int, after: Array) -> Made:
    parts = {f"{name}_before": before, f"{name}_once": once, f"{name}_after": after}
    nodes = (
        helper.make_node("Constant", [], [f"{name}_times"], value_ints=[times]),
        helper.make_node("Tile", [f"{name}_once", f"{name}_times"], [f"{name}_repeated"]),
        helper.make_node("Concat", [f"{name}_before", f"{name}_repeated", f"{name}_after"], [name], axis=0),
    )
    return Made(nodes, tuple(numpy_helper.from_array(np.ascontiguousarray(part), each) for each, part in parts.items()))


def _integers(name: str, value: list[int] | int) -> onnx.NodeProto:
    kind = {"value_int": value} if isinstance(value, int) else {"value_ints": value}
    return helper.make_node("Constant", [], [name], **kind)


def _same(one: Array, other: Array) -> bool:
    return bool(np.array_equal(_bits(one), _bits(other)))


def _bits(array: Array) -> NDArray[np.integer]:
    """As whole numbers, which tell 0 from -0."""
    bits: NDArray[np.integer] = np.ascontiguousarray(array).view(f"i{array.dtype.itemsize}")
    return bits

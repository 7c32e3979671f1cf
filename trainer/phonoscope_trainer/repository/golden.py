"""Golden vectors: what ensembles are given and what comes of it, so that whoever computes otherwise does not serve.

`ENSEMBLE.input.TENSOR` and `ENSEMBLE.output.TENSOR` are arrays, or, where the file has the same array under another
name already, that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.generic]]
GOLDEN = "golden.npz"


def read_golden(root: Path) -> Arrays:
    """Every golden vector of a bundle, by name."""
    with np.load(root / GOLDEN, allow_pickle=False) as file:
        arrays: Arrays = {name: file[name] for name in file.files}
    return {name: arrays[str(array)] if array.dtype.kind == "U" else array for name, array in arrays.items()}


def write_golden(root: Path, vectors: Mapping[str, Mapping[str, NDArray[np.generic]]]) -> None:
    """Write golden vectors: `{"explain.input": {tensor: array}, "explain.output": …}`."""
    write_arrays(
        root, {f"{side}.{tensor}": array for side, tensors in vectors.items() for tensor, array in tensors.items()}
    )


def write_arrays(root: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write golden vectors by name; what is the same is written once."""
    written: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    held: Arrays = {}
    for name, array in arrays.items():
        first = written.setdefault((array.dtype.str, array.shape, array.tobytes()), name)
        held[name] = array if first == name else np.array(first)
    with (root / GOLDEN).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **held)

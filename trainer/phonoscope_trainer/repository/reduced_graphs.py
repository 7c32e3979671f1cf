"""A bundle's graphs in OpenVINO, in the precision asked for; asked as sessions of ONNX Runtime are. An extra."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.repository.whole_graph import read_graph

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
Arrays = Mapping[str, NDArray[Any]]


class Named(NamedTuple):
    """An input of a graph."""

    name: str


class Session(Protocol):
    """A graph that is loaded, as ONNX Runtime has it."""

    def get_inputs(self) -> Sequence[Named]:
        """What it is given."""
        ...

    def run(self, outputs: Sequence[str], inputs: Arrays) -> list[Any]:
        """Those outputs."""
        ...


Open = Callable[[Path, str, int], Session]  # repository, graph, threads


class ReducedGraph:
    """One graph in OpenVINO on the CPU; a `Session`."""

    def __init__(self, repository: Path, graph: str, threads: int, precision: Precision) -> None:
        """Loads it.

        Raises:
            ExportError: there is no such graph.
            OptionsError: OpenVINO is not installed.
        """
        try:
            import openvino as ov  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise OptionsError("less precision needs OpenVINO: install phonoscope[serving-openvino]") from error
        path = repository / graph / "1" / "model.onnx"
        if not path.is_file():
            raise ExportError(f"{repository}: no graph {graph!r}; export one with this version")
        chosen = {
            "INFERENCE_PRECISION_HINT": {"float32": ov.Type.f32, "bfloat16": ov.Type.bf16}[precision],
            "EXECUTION_MODE_HINT": "ACCURACY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        }
        core = ov.Core()
        model = core.read_model(read_graph(path).SerializeToString(), b"")
        self._compiled = core.compile_model(model, "CPU", chosen)

    def get_inputs(self) -> Sequence[Named]:
        """See `Session`."""
        return [Named(each.get_any_name()) for each in self._compiled.inputs]

    def run(self, outputs: Sequence[str], inputs: Arrays) -> list[NDArray[Any]]:
        """See `Session`."""
        made = self._compiled(dict(inputs))
        return [np.array(made[name]) for name in outputs]


def opener(precision: Precision) -> Open:
    """Loads graphs in a precision."""

    def open_graph(repository: Path, graph: str, threads: int) -> Session:
        return ReducedGraph(repository, graph, threads, precision)

    return open_graph

"""A bundle's graphs as OpenVINO runs them, each in its own precision."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import openvino as ov

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.engines.openvino.compiled import Form, compiled, forms_of, read, settings, smallest
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Array, Tensors

BEST_ROWS = 4  # as with ONNX Runtime: more rows cost the caches, and every caller a wait


@dataclass(frozen=True)
class Call:
    """One run of a graph."""

    graph: str
    inputs: Tensors
    outputs: Tensors


class OpenVinoGraphs:
    """`Graphs` whose tensors are arrays in this process's memory, handed from one graph to the next without a copy."""

    best_rows = BEST_ROWS

    def __init__(self, bundle: Bundle, threads: int) -> None:
        """Loads nothing yet.

        Args:
            bundle: whose graphs they are.
            threads: of one graph.
        """
        self._bundle, self._threads = bundle, threads
        self._core = ov.Core()
        self._forms: dict[str, list[Form]] = {}
        self._outputs = forms_of(bundle)
        self._calls: list[Call] | None = None  # noted where somebody wants to know them
        self.precisions: dict[str, Precision] = {}

    @property
    def device(self) -> str:
        """See `Graphs.device`."""
        return "cpu"

    def load(self, graphs: Collection[str]) -> None:
        """See `Graphs.load`: in float32."""
        for graph in graphs:
            self.use(graph, "float32")

    def use(self, graph: str, precision: Precision) -> None:
        """Has a graph run in a precision from now on.

        Raises:
            BundleError: it cannot be loaded, or is not what its config says.
        """
        model = read(graph, self._bundle.graph(graph), self._bundle.models[graph], self._core)
        chosen = settings(self._threads, precision)
        forms = compiled(graph, model, self._outputs[graph], chosen, self._core)
        if any(
            form.get_property("INFERENCE_PRECISION_HINT") != chosen["INFERENCE_PRECISION_HINT"] for _, form in forms
        ):
            raise BundleError(f"{graph}: OpenVINO does not run it in {precision}")
        self._forms[graph], self.precisions[graph] = forms, precision

    def note_calls(self) -> list[Call]:
        """From now on, and until `forget_calls`, every run is added to the list."""
        self._calls = []
        return self._calls

    def forget_calls(self) -> None:
        """See `note_calls`."""
        self._calls = None

    def release(self) -> None:
        """See `Graphs.release`: every form has its own memory, and most are run seldom."""
        for forms in self._forms.values():
            for _, form in forms:
                with suppress(RuntimeError):  # it runs just now, and keeps what it works in
                    form.release_memory()

    def hold(self, array: Array) -> Array:
        """See `Graphs.hold`."""
        return np.ascontiguousarray(array)

    def array(self, held: Array) -> Array:
        """See `Graphs.array`."""
        return held

    def run(self, graph: str, inputs: Mapping[str, Array], wanted: tuple[str, ...]) -> dict[str, Array]:
        """See `Graphs.run`."""
        # A request of its own for every run: what it gives is then nobody else's, and need not be copied.
        request = smallest(self._forms[graph], wanted).create_infer_request()
        made = request.infer(dict(inputs), share_inputs=True, share_outputs=True)
        outputs = {name: made[name] for name in wanted}
        if self._calls is not None:
            self._calls.append(Call(graph, dict(inputs), outputs))
        return outputs

    def close(self) -> None:
        """See `Graphs.close`."""
        self._forms, self.precisions = {}, {}

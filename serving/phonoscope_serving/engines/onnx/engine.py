"""The embedded engine on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.cores import cores
from phonoscope_serving.engines.embedded.engine import EmbeddedEngine
from phonoscope_serving.engines.onnx.answering import ANSWER, answer_alone, shows_layers
from phonoscope_serving.engines.onnx.sessions import (
    Device,
    check_graph,
    grow_by_large_pieces,
    load_session,
    providers,
    session_options,
    shrink_arena,
)
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array

# A CPU gains nothing from more rows, its caches lose, memory grows, and every caller waits longer; a GPU wants to be
# filled.
BATCH_ROWS = {"cpu": 4, "cuda": 64}


@dataclass(frozen=True)
class OnnxOptions:
    """How ONNX Runtime is run."""

    device: Device = "auto"
    threads: int = 0  # of one operator; 0: one for each core this process may use
    batch_rows: int = 0  # run together at most; a request of more is run in parts; 0: what suits the device
    queue_rows: int = 512  # beyond what admission takes on: 250 explanations where one takes 30 ms


class OnnxEngine(EmbeddedEngine[ort.OrtValue]):
    """Runs a bundle's graphs and ensembles with ONNX Runtime; an `Engine`."""

    def __init__(
        self, bundle: Bundle, options: OnnxOptions, metrics: Metrics, at_start: Collection[str] | None = None
    ) -> None:
        """Checks every ensemble's plan; `start` loads the graphs.

        Args:
            bundle: what is run.
            options: how.
            metrics: where runs are noted.
            at_start: see `EmbeddedEngine`.

        Raises:
            BundleError: an ensemble cannot be executed.
            OptionsError: the device is not there.
        """
        graphs = OnnxGraphs(bundle, options)
        rows = {"batch_rows": options.batch_rows, "queue_rows": options.queue_rows}
        super().__init__(bundle, graphs, metrics, **rows, at_start=at_start)
        self.threads = graphs.threads


class OnnxGraphs:
    """A bundle's graphs as sessions of ONNX Runtime; `Graphs`."""

    def __init__(self, bundle: Bundle, options: OnnxOptions) -> None:
        """Loads nothing yet.

        Raises:
            OptionsError: the device is not there.
        """
        self._bundle, self._options = bundle, options
        self._providers = providers(options.device)
        self.threads = options.threads or cores()
        self.device = "cpu"  # until `load` has found that CUDA works
        self._sessions: dict[str, ort.InferenceSession] = {}
        self._answering: dict[str, ort.InferenceSession] = {}  # of what shows its layers: a second without them

    @property
    def best_rows(self) -> int:
        """See `Graphs.best_rows`."""
        return BATCH_ROWS[self.device]

    def load(self, graphs: Collection[str]) -> None:
        """See `Graphs.load`."""
        options = session_options(self.threads)
        grow_by_large_pieces()
        for name in graphs:
            config, graph = self._bundle.models[name], self._bundle.graph(name)
            session = load_session(name, graph, options, self._providers)
            check_graph(config, session)
            if shows_layers(config):
                self._answering[name] = load_session(name, answer_alone(graph), options, self._providers)
            self._sessions[name] = session
        self.device = self._working_device()

    def hold(self, array: Array) -> ort.OrtValue:
        """See `Graphs.hold`."""
        if self.device != "cpu":
            return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), self.device, 0)
        # Of a value made of an array on the CPU, `numpy` is a view that outlives the array.
        held = ort.OrtValue.ortvalue_from_shape_and_type(array.shape, array.dtype, self.device, 0)
        held.update_inplace(np.ascontiguousarray(array))
        return held

    def array(self, held: ort.OrtValue) -> Array:
        """See `Graphs.array`."""
        array: Array = held.numpy()
        return array

    def run(self, graph: str, inputs: Mapping[str, ort.OrtValue], wanted: tuple[str, ...]) -> dict[str, ort.OrtValue]:
        """See `Graphs.run`."""
        sessions = self._answering if wanted == (ANSWER,) and graph in self._answering else self._sessions
        session = sessions[graph]
        binding = session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name in wanted:  # an output nobody asked for costs its copy, and for a layer that is megabytes
            binding.bind_output(name, self.device)
        session.run_with_iobinding(binding)
        return dict(zip(wanted, binding.get_outputs(), strict=True))

    def release(self) -> None:
        """See `Graphs.release`: of the arena that all sessions share."""
        shrink_arena()

    def close(self) -> None:
        """See `Graphs.close`."""
        self._sessions, self._answering = {}, {}

    def _working_device(self) -> str:
        """ONNX Runtime falls back to the CPU without a word where there is a CUDA provider but no GPU."""
        if all("CUDAExecutionProvider" in session.get_providers() for session in self._sessions.values()):
            return "cuda"
        if self._options.device == "cuda":
            raise OptionsError("device: cuda was asked for, but ONNX Runtime found no GPU that works")
        return "cpu"

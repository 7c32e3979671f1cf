"""The embedded engine on OpenVINO, in the precision that was asked for, as far as golden vectors allow it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.precision import Precision, reducible, tolerance
from phonoscope_serving.cores import cores
from phonoscope_serving.engines.embedded.engine import EmbeddedEngine
from phonoscope_serving.engines.embedded.memory import give_back
from phonoscope_serving.engines.golden import difference_of
from phonoscope_serving.engines.openvino.graphs import Call, OpenVinoGraphs
from phonoscope_serving.engines.openvino.processor import require_units
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array

LOG = logging.getLogger("phonoscope.engine")


@dataclass(frozen=True)
class OpenVinoOptions:
    """How OpenVINO is run."""

    precision: Precision = "float32"  # of the graphs that are networks; all others are exact
    threads: int = 0  # of one graph; 0: one for each core this process may use
    batch_rows: int = 0  # run together at most; a request of more is run in parts; 0: what suits a CPU
    queue_rows: int = 512  # as of ONNX Runtime


class OpenVinoEngine(EmbeddedEngine[Array]):
    """Runs a bundle's graphs and ensembles with OpenVINO on the CPU; an `Engine`."""

    def __init__(self, bundle: Bundle, options: OpenVinoOptions, metrics: Metrics) -> None:
        """Checks every ensemble's plan; `start` loads the graphs.

        Raises:
            BundleError: an ensemble cannot be executed.
            OptionsError: the processor has nothing for that precision.
        """
        require_units(options.precision)
        self.threads = options.threads or cores()
        self._compiled = OpenVinoGraphs(bundle, self.threads)
        self._asked = options.precision
        super().__init__(bundle, self._compiled, metrics, batch_rows=options.batch_rows, queue_rows=options.queue_rows)

    @property
    def device(self) -> str:
        """See `Engine.device`."""
        return f"{self._graphs.device}, OpenVINO, {self.precision}"

    @property
    def precision(self) -> Precision:
        """See `Engine.precision`."""
        return self._asked if self._asked in self.precisions.values() else "float32"

    @property
    def precisions(self) -> dict[str, Precision]:
        """In what precision each graph is run, once loaded."""
        return dict(self._compiled.precisions)

    def load(self) -> None:
        """See `EmbeddedEngine.load`."""
        super().load()
        self._compiled.release()
        give_back()

    def _prove(self) -> None:
        """In float32 first: the bundle is right. Then in what was asked for, graph by graph.

        Ensembles prove nothing in less: a bin at a region's edge changes sides, and what is left without it may be
        quite another answer, although every graph is as near to itself as it should be.
        """
        calls = self._compiled.note_calls()
        super()._prove()
        self._compiled.forget_calls()
        self._metrics.graph_fallbacks.clear()
        if self._asked == "float32":
            return
        for graph in sorted(reducible(self._bundle)):
            self._reduce(graph, [call for call in calls if call.graph == graph])
        reduced = sorted(graph for graph, each in self.precisions.items() if each == self._asked)
        LOG.info("precision", extra={"precision": self._asked, "graphs": reduced})

    def _reduce(self, graph: str, calls: list[Call]) -> None:
        """Has a graph run in the precision that was asked for, if its numbers then are those of float32."""
        self._compiled.use(graph, self._asked)
        allowed = tolerance(self._bundle, self._asked)
        for call in calls:
            made = self._compiled.run(graph, call.inputs, tuple(call.outputs))
            for name, exact in call.outputs.items():
                if difference := difference_of(made[name], exact, allowed):
                    self._fall_back(graph, f"{graph}: {name} {difference}")
                    return

    def _fall_back(self, graph: str, reason: str) -> None:
        self._compiled.use(graph, "float32")
        self._metrics.graph_fallbacks.labels(graph).set(1)
        LOG.warning("a graph is run in float32", extra={"graph": graph, "asked": self._asked, "reason": reason})

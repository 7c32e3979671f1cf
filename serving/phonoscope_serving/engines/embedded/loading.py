"""Which graphs of a bundle are loaded, and which of them are proven."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Generic

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.embedded.graphs import Graphs, Held
from phonoscope_serving.engines.embedded.memory import give_back
from phonoscope_serving.engines.golden import graphs_of, proofs_of
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors

Run = Callable[[str, Tensors], dict[str, Array]]  # model, inputs → every output


class Loading(Generic[Held]):
    """Loads what is not loaded yet; nothing is unloaded but all at once."""

    def __init__(self, bundle: Bundle, graphs: Graphs[Held], run: Run, metrics: Metrics) -> None:
        """Nothing is loaded yet.

        Args:
            bundle: whose graphs they are.
            graphs: what loads and runs them.
            run: runs a model of loaded graphs.
            metrics: where it is noted what is loaded.
        """
        self._bundle, self._graphs, self._run, self._metrics = bundle, graphs, run, metrics
        self._loaded: set[str] = set()
        self._proven: set[str] = set()  # by `model`

    def load(self, graphs: Collection[str]) -> None:
        """Loads graphs; see `Graphs.load` for what is raised."""
        new = [name for name in self._bundle.models if name in graphs and name not in self._loaded]
        self._graphs.load(new)
        self._loaded.update(new)
        for name in new:  # engines of two bundles may have graphs of the same name for a while
            self._metrics.graphs_loaded.labels(name).inc()

    def model(self, model: str) -> None:
        """Loads what a model is composed of, and proves it.

        Raises:
            BundleError: a graph cannot be loaded, or what it computes is not golden.
        """
        proving = proofs_of(self._bundle, model, self._proven)
        graphs = graphs_of(self._bundle, model).union(*(graphs_of(self._bundle, each.ensemble) for each in proving))
        self.load(graphs)
        for proof in proving:
            proof.check(self._run(proof.ensemble, proof.inputs))
        self._proven |= graphs
        self._graphs.release()
        give_back()

    def unload(self) -> None:
        """Gives back all of them."""
        self._graphs.close()
        for name in self._loaded:
            self._metrics.graphs_loaded.labels(name).dec()
        self._loaded, self._proven = set(), set()

"""An engine in this process: queues, turns, and ensembles executed step by step.

It executes the same `config.pbtxt` ensembles a Triton server executes. Tensors stay on the device between steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Generic, cast

import numpy as np

from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import NOBODYS, Kind, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.engines.embedded.batching import BatchLimits, BatchQueue
from phonoscope_serving.engines.embedded.first_use import FirstUse
from phonoscope_serving.engines.embedded.graphs import Graphs, Held
from phonoscope_serving.engines.embedded.lane import BACKGROUND_NICENESS, Lane
from phonoscope_serving.engines.embedded.loading import Loading
from phonoscope_serving.engines.embedded.memory import Settling, give_back
from phonoscope_serving.engines.embedded.together import run_together, shares
from phonoscope_serving.engines.ensemble import Plan, Step, is_ensemble, load_order, plan
from phonoscope_serving.engines.golden import proofs
from phonoscope_serving.engines.signature import Signature
from phonoscope_serving.errors import BundleError, EngineFailed, EngineLost, NotProven
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors


class EmbeddedEngine(Generic[Held]):
    """Runs a bundle's graphs and ensembles with a library in this process; an `Engine`."""

    def __init__(
        self,
        bundle: Bundle,
        graphs: Graphs[Held],
        metrics: Metrics,
        *,
        batch_rows: int,
        queue_rows: int,
        at_start: Collection[str] | None = None,
    ) -> None:
        """Checks every ensemble's plan; `start` loads the graphs.

        Args:
            bundle: what is run.
            graphs: of that bundle, not loaded yet.
            metrics: where runs are noted.
            batch_rows: run together at most; a request of more is run in parts; 0: what suits the device.
            queue_rows: of one model and kind of work, that may wait.
            at_start: the models that are loaded and proven at the start, others when they are first asked; None: all.

        Raises:
            BundleError: an ensemble cannot be executed.
        """
        self._bundle, self._graphs, self._metrics = bundle, graphs, metrics
        self._batch_rows, self._queue_rows = batch_rows, queue_rows
        self._plans: Mapping[str, Plan] = {
            name: plan(bundle.models[name], bundle.models)
            for name in load_order(bundle.models)
            if is_ensemble(bundle.models[name])
        }
        self._turns: dict[tuple[str, tuple[str, ...]], tuple[tuple[Step, ...], ...]] = {}  # of an ensemble, as asked
        self._takes = {name: Signature.of(config) for name, config in bundle.models.items()}
        self._queues: dict[tuple[str, Kind], BatchQueue] = {}
        busy = BusyTime()
        self._lane, self._background = Lane("engine", busy), Lane("engine, background", busy, BACKGROUND_NICENESS)
        self._limits: dict[str, BatchLimits] = {}  # of each model, once the engine runs
        self._loading = Loading(bundle, graphs, self.run, metrics)
        self._at_start = at_start
        self._first_use = None if at_start is None else FirstUse(self._loading.model, metrics)
        self._settling = Settling(graphs.release)

    @property
    def device(self) -> str:
        """Where tensors live, once loaded."""
        return self._graphs.device

    @property
    def precision(self) -> Precision:
        """See `Engine.precision`."""
        return "float32"

    @property
    def running_s(self) -> float:
        """See `Engine.running_s`."""
        loading_s = self._first_use.running_s if self._first_use else 0.0
        return max(self._lane.running_s, self._background.running_s, loading_s)

    @property
    def in_use(self) -> frozenset[str]:
        """The models that can be run at once: all, or, where they are loaded on first use, those that were asked."""
        return self._first_use.ready if self._first_use else frozenset(self._limits)

    def is_ready(self, model: str) -> bool:
        """See `Engine.is_ready`."""
        return model in self.in_use

    async def start(self) -> None:
        """See `Engine.start`."""
        await self._lane.run(self.load)
        self._limits = {name: BatchLimits(self._rows(name), self._queue_rows) for name in self._bundle.models}
        for model in self._at_start or ():
            await self._start_model(model)

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Collection[str] | None = None,
        deadline: float | None = None,
        continues: bool = False,
        work: Work = NOBODYS,
    ) -> dict[str, Array]:
        """See `Engine.infer`."""
        if model not in self._limits:
            raise EngineLost(f"the engine is not running {model}")
        if self._first_use:
            await self._first_use.of(model, deadline)
        self._takes[model].check(inputs)
        wanted = self._takes[model].wanted(outputs)
        queue = self._queue(model, work.kind)
        return await queue.submit(inputs, wanted, deadline=deadline, continues=continues, work=work)

    def _queue(self, model: str, kind: Kind) -> BatchQueue:
        if (model, kind) not in self._queues:
            lane = self._background if kind.is_background else self._lane
            self._queues[model, kind] = BatchQueue(model, kind, self._run, lane, self._limits[model], self._metrics)
            self._queues[model, kind].start()
        return self._queues[model, kind]

    async def check(self) -> None:
        """See `Engine.check`: the graphs are in this process, and nobody else can change them; memory is given back."""
        if not self._limits:
            raise EngineLost("the engine is not running")
        is_busy = self.running_s > 0
        await asyncio.to_thread(lambda: self._settling.settle(is_busy=is_busy))

    async def close(self) -> None:
        """See `Engine.close`."""
        self._limits, queues, self._queues = {}, self._queues, {}
        if self._first_use:
            await self._first_use.close()
        for queue in queues.values():
            await queue.close()
        for lane in (self._lane, self._background):
            await asyncio.to_thread(lane.close)
        self._loading.unload()  # most of the memory; another bundle may have taken this one's place
        await asyncio.to_thread(give_back)

    def load(self) -> None:
        """Loads every graph and runs the golden inputs, so that `run` can be called and the first caller need not wait.

        Where models are loaded on first use, it loads the front-end alone: with it the library shows what it runs on.

        Raises:
            BundleError: a graph cannot be loaded, or does not reproduce the golden probabilities.
            OptionsError: the library cannot do here what it was asked for.
        """
        if self._first_use:
            self._loading.load({self._bundle.default.frontend})
            return
        self._loading.load({name for name, config in self._bundle.models.items() if not is_ensemble(config)})
        self._prove()
        give_back()

    async def _start_model(self, model: str) -> None:
        """As when it is first asked; but what cannot be proven is then no bundle to serve."""
        try:
            await cast(FirstUse, self._first_use).of(model, None)
        except NotProven as error:
            raise BundleError(str(error)) from error

    def _prove(self) -> None:
        """Runs the golden inputs; see `load`."""
        for proof in proofs(self._bundle):
            proof.check(self.run(proof.ensemble, proof.inputs))

    def run(self, model: str, inputs: Tensors, outputs: Collection[str] | None = None) -> dict[str, Array]:
        """Runs one model now, in this thread, past the queue: the bare engine.

        Args:
            model: name of the model.
            inputs: every input by name; more rows than are run together are run in parts.
            outputs: the outputs that are wanted; None: all.
        """
        wanted, most = self._takes[model].wanted(outputs), self._rows(model)
        rows = len(next(iter(inputs.values()))) if most else 0
        if rows <= most:
            return self._run_part(model, inputs, wanted)
        parts = [
            self._run_part(model, {name: tensor[first : first + most] for name, tensor in inputs.items()}, wanted)
            for first in range(0, rows, most)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in wanted}

    def _rows(self, model: str) -> int:
        """How many rows of a model are run together at most; 0 where it has no batch axis."""
        most: int = self._bundle.models[model].max_batch_size
        return min(self._batch_rows or self._graphs.best_rows, most)

    def _run_part(self, model: str, inputs: Tensors, wanted: tuple[str, ...]) -> dict[str, Array]:
        held = {name: self._graphs.hold(tensor) for name, tensor in inputs.items()}
        rows = len(next(iter(inputs.values()))) if self._rows(model) and inputs else 0
        return {name: self._graphs.array(each) for name, each in self._execute(model, held, wanted, rows).items()}

    async def _run(
        self, lane: Lane, model: str, inputs: Tensors, outputs: tuple[str, ...]
    ) -> tuple[dict[str, Array], float]:
        try:
            return await lane.run(lambda: self.run(model, inputs, outputs))
        except Exception as error:  # libraries raise types of their own, some of them bare Exception
            raise EngineFailed(f"{model} could not be run: {error}") from error
        finally:
            self._settling.ran()

    def _turns_of(self, model: str, wanted: tuple[str, ...]) -> tuple[tuple[Step, ...], ...]:
        if (model, wanted) not in self._turns:
            self._turns[model, wanted] = self._plans[model].of(wanted).turns
        return self._turns[model, wanted]

    def _execute(self, model: str, inputs: Mapping[str, Held], wanted: tuple[str, ...], rows: int) -> dict[str, Held]:
        if model not in self._plans:
            with self._metrics.graph_seconds.labels(model).time():
                return self._graphs.run(model, inputs, wanted)
        tensors = dict(inputs)
        for steps in self._turns_of(model, wanted):
            for some in shares(steps, self._rows(steps[0].model), rows):
                tensors |= run_together(some, tensors, self._graphs, self._execute, rows)
        return {name: tensors[name] for name in wanted}

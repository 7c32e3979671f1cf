"""The embedded engine: ONNX Runtime, in this process.

It executes the same `config.pbtxt` ensembles a Triton server executes. Tensors stay on the device between steps.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
import onnxruntime as ort

from phonoscope_serving.admission.busy import BusyTime
from phonoscope_serving.admission.work import NOBODYS, Kind, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.cores import cores
from phonoscope_serving.engines.ensemble import Plan, is_ensemble, load_order, plan
from phonoscope_serving.engines.golden import proofs
from phonoscope_serving.engines.onnx.answering import ANSWER, answer_alone, shows_layers
from phonoscope_serving.engines.onnx.batching import BatchLimits, BatchQueue
from phonoscope_serving.engines.onnx.lane import BACKGROUND_NICENESS, Lane
from phonoscope_serving.engines.onnx.sessions import (
    Device,
    check_graph,
    give_back,
    load_session,
    providers,
    session_options,
    shrinking,
)
from phonoscope_serving.engines.signature import Signature
from phonoscope_serving.errors import EngineFailed, EngineLost, OptionsError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.tensors import Array, Tensors

# A CPU gains nothing from more rows, its caches lose, memory grows, and every caller waits longer; a GPU wants to be
# filled.
BATCH_ROWS = {"cpu": 4, "cuda": 64}
# Rare runs leave pieces in the arena that fit little else, and these add up. So that they go, all that is free goes;
# what is needed again is taken again, in about 5 ms.
SHRINK_RUNS = 300


@dataclass(frozen=True)
class OnnxOptions:
    """How ONNX Runtime is run."""

    device: Device = "auto"
    threads: int = 0  # of one operator; 0: one for each core this process may use
    batch_rows: int = 0  # run together at most; a request of more is run in parts; 0: what suits the device
    queue_rows: int = 512  # beyond what admission takes on: 250 explanations where one takes 30 ms


class OnnxEngine:
    """Runs a bundle's graphs and ensembles with ONNX Runtime; an `Engine`."""

    def __init__(self, bundle: Bundle, options: OnnxOptions, metrics: Metrics) -> None:
        """Checks every ensemble's plan; `start` loads the graphs.

        Raises:
            BundleError: an ensemble cannot be executed.
            OptionsError: the device is not there.
        """
        self._bundle, self._metrics = bundle, metrics
        self._providers = providers(options.device)
        self._options = options
        self._device = "cpu"  # until `load` has found that CUDA works
        self._threads = options.threads or cores()
        self._order = load_order(bundle.models)
        self._plans: Mapping[str, Plan] = {
            name: plan(config, bundle.models) for name, config in bundle.models.items() if is_ensemble(config)
        }
        self._takes = {name: Signature.of(config) for name, config in bundle.models.items()}
        self._sessions: dict[str, ort.InferenceSession] = {}
        self._answering: dict[str, ort.InferenceSession] = {}  # of what shows its layers: a second without them
        self._runs, self._shrinking = count(1), shrinking()
        self._queues: dict[tuple[str, Kind], BatchQueue] = {}
        busy = BusyTime()
        self._lane, self._background = Lane("engine", busy), Lane("engine, background", busy, BACKGROUND_NICENESS)
        self._limits: dict[str, BatchLimits] = {}  # of each model, once the engine runs

    @property
    def device(self) -> str:
        """Where tensors live, once loaded: "cpu" or "cuda"."""
        return self._device

    @property
    def running_s(self) -> float:
        """See `Engine.running_s`."""
        return max(self._lane.running_s, self._background.running_s)

    @property
    def threads(self) -> int:
        """Threads of one operator."""
        return self._threads

    async def start(self) -> None:
        """See `Engine.start`."""
        await self._lane.run(self.load)
        self._limits = {name: BatchLimits(self._rows(name), self._options.queue_rows) for name in self._bundle.models}

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
        """See `Engine.check`: the graphs are in this process, and nobody else can change them."""
        if not self._limits:
            raise EngineLost("the engine is not running")

    async def close(self) -> None:
        """See `Engine.close`."""
        self._limits, queues, self._queues = {}, self._queues, {}
        for queue in queues.values():
            await queue.close()
        for lane in (self._lane, self._background):
            await asyncio.to_thread(lane.close)
        self._sessions, self._answering = {}, {}  # most of the memory; another bundle may have taken this one's place
        await asyncio.to_thread(give_back)

    def load(self) -> None:
        """Loads every graph and runs the golden inputs, so that `run` can be called and the first caller need not wait.

        Raises:
            BundleError: a graph cannot be loaded, or does not reproduce the golden probabilities.
            OptionsError: CUDA was asked for and does not work here.
        """
        options = session_options(self._threads)
        for name in self._order:
            if name not in self._plans:
                graph, config = self._bundle.graph(name), self._bundle.models[name]
                self._sessions[name] = load_session(name, graph, options, self._providers)
                check_graph(config, self._sessions[name])
                if shows_layers(config):
                    self._answering[name] = load_session(name, answer_alone(graph), options, self._providers)
        self._device = self._working_device()
        for proof in proofs(self._bundle):
            proof.check(self.run(proof.ensemble, proof.inputs))
        give_back()

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
        return min(self._options.batch_rows or BATCH_ROWS[self._device], most)

    def _run_part(self, model: str, inputs: Tensors, wanted: tuple[str, ...]) -> dict[str, Array]:
        on_device = {
            name: ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(tensor), self._device, 0)
            for name, tensor in inputs.items()
        }
        return {name: value.numpy() for name, value in self._execute(model, on_device, wanted).items()}

    async def _run(
        self, lane: Lane, model: str, inputs: Tensors, outputs: tuple[str, ...]
    ) -> tuple[dict[str, Array], float]:
        try:
            return await lane.run(lambda: self.run(model, inputs, outputs))
        except Exception as error:  # ONNX Runtime raises its own types, some of them bare Exception
            raise EngineFailed(f"{model} could not be run: {error}") from error

    def _working_device(self) -> str:
        """ONNX Runtime falls back to the CPU without a word where there is a CUDA provider but no GPU."""
        if all("CUDAExecutionProvider" in session.get_providers() for session in self._sessions.values()):
            return "cuda"
        if self._options.device == "cuda":
            raise OptionsError("device: cuda was asked for, but ONNX Runtime found no GPU that works")
        return "cpu"

    def _execute(
        self, model: str, inputs: Mapping[str, ort.OrtValue], wanted: tuple[str, ...]
    ) -> dict[str, ort.OrtValue]:
        if model not in self._plans:
            return self._execute_graph(model, inputs, wanted)
        tensors = dict(inputs)
        for step in self._plans[model].of(wanted).steps:
            given = {name: tensors[tensor] for name, tensor in step.inputs.items()}
            made = self._execute(step.model, given, tuple(step.outputs))
            tensors |= {tensor: made[name] for name, tensor in step.outputs.items()}
        return {name: tensors[name] for name in wanted}

    def _execute_graph(
        self, model: str, inputs: Mapping[str, ort.OrtValue], wanted: tuple[str, ...]
    ) -> dict[str, ort.OrtValue]:
        sessions = self._answering if wanted == (ANSWER,) and model in self._answering else self._sessions
        session = sessions[model]
        binding = session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name in wanted:  # an output nobody asked for costs its copy, and for a layer that is megabytes
            binding.bind_output(name, self._device)
        options = None if next(self._runs) % SHRINK_RUNS else self._shrinking
        with self._metrics.graph_seconds.labels(model).time():
            session.run_with_iobinding(binding, options)
        return dict(zip(wanted, binding.get_outputs(), strict=True))

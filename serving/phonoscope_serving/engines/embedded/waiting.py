"""One request in the queue of a model, and what becomes of several that are run together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from phonoscope_serving import tracing
from phonoscope_serving.admission.work import Work
from phonoscope_serving.tensors import Array, Tensors


@dataclass(eq=False)
class Waiting:
    """One request in the queue."""

    inputs: Tensors
    outputs: tuple[str, ...]
    rows: int
    deadline: float | None
    continues: bool
    work: Work
    answer: asyncio.Future[dict[str, Array]]
    asked: tracing.Moment

    def joins(self, other: Waiting) -> bool:
        """Whether it can be run with another."""
        return self.outputs == other.outputs and all(
            self.inputs[name].shape[1:] == other.inputs[name].shape[1:] for name in self.inputs
        )


def joined(batch: list[Waiting]) -> Tensors:
    """The inputs of all, row after row."""
    if len(batch) == 1:
        return batch[0].inputs
    return {name: np.concatenate([request.inputs[name] for request in batch]) for name in batch[0].inputs}


def answer(request: Waiting, outputs: dict[str, Array]) -> None:
    """Gives a request its outputs."""
    if not request.answer.done():  # its caller may have left while it ran
        request.answer.set_result(outputs)


def fail(batch: list[Waiting], error: Exception) -> None:
    """Gives every request of a batch the error that broke it."""
    for request in batch:
        if not request.answer.done():
            request.answer.set_exception(error)

"""What the service needs of an engine: graphs and ensembles called by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from phonoscope_serving.admission.work import NOBODYS, Work
from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.tensors import Array, Tensors


class Engine(Protocol):
    """Runs the models of one bundle.

    Tensors have the names, types and shapes of the model's `config.pbtxt`; where its `max_batch_size` is above 0 they
    begin with a batch axis of 1 to `max_batch_size` rows.
    """

    @property
    def device(self) -> str:
        """Where graphs are run, for the log."""
        ...

    @property
    def precision(self) -> Precision:
        """The least precision that any graph is run in."""
        ...

    @property
    def running_s(self) -> float:
        """How long what runs in this process has gone on, in seconds; 0 where nothing does."""
        ...

    def is_ready(self, model: str) -> bool:
        """Whether a model can be run at once; one that is loaded when it is first asked cannot, before that."""
        ...

    async def start(self) -> None:
        """Has every model loaded, and proves it by the golden vectors.

        Raises:
            BundleError: a model cannot be loaded, is not the bundle's, or does not reproduce the golden probabilities.
            EngineLost: what runs the models cannot be reached.
        """

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
        """Runs one model or ensemble and returns its outputs.

        Args:
            model: name of the model.
            inputs: every input by name.
            outputs: the outputs that are wanted; steps of an ensemble that none of them needs are not run. None: all.
            deadline: when the caller stops waiting, on the event loop's clock, in seconds; None waits for ever.
            continues: a later part of a request whose earlier part was accepted, so a full queue does not refuse it.
            work: the request it is part of, whose turn it takes, and which is charged for it.

        Raises:
            QueueFull: too many rows are waiting.
            DeadlinePassed: `deadline` passed, or the model has never been run in as little time as is left.
            EngineFailed: the inputs do not fit the model, it has no such output, or running it failed.
            EngineLost: the engine is not running.
        """
        ...

    async def check(self) -> None:
        """Asks again whether what runs the models is there and still has this bundle; cheap, and asked all the time.

        Raises:
            EngineLost: it is away, or has another bundle by now; requests are refused until it is back.
        """

    async def close(self) -> None:
        """Stops; calls still waiting end in EngineLost."""

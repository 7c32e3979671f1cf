"""What an engine in this process needs of the library that runs its graphs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, TypeVar

from phonoscope_serving.tensors import Array

Held = TypeVar("Held")  # a tensor as the library holds it, on its device


class Graphs(Protocol[Held]):
    """The graphs of one bundle, as one library runs them; `run` is called by several threads."""

    @property
    def device(self) -> str:
        """Where tensors live, once loaded, for the log."""
        ...

    @property
    def best_rows(self) -> int:
        """How many rows the device is best given at a time, once loaded."""
        ...

    def load(self, graphs: Collection[str]) -> None:
        """Has graphs ready that were not yet; others run meanwhile.

        Raises:
            BundleError: a graph cannot be loaded, or is not what its config says.
            OptionsError: the library cannot do here what it was asked for.
        """

    def hold(self, array: Array) -> Held:
        """An array for `run`; it is not changed."""
        ...

    def array(self, held: Held) -> Array:
        """What `run` has given, in this process's own memory."""
        ...

    def run(self, graph: str, inputs: Mapping[str, Held], wanted: tuple[str, ...]) -> dict[str, Held]:
        """The outputs of a graph that are wanted."""
        ...

    def release(self) -> None:
        """Gives back what runs worked in so far; others may run meanwhile."""

    def close(self) -> None:
        """Gives back what was loaded."""

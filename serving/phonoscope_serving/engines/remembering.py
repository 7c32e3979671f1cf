"""An engine that remembers: what it made of the same rows a short while ago, it does not make again.

Every graph's numbers hang on its inputs alone: seeds are among them. A row of a batch is remembered by itself, so that
evidence with fewer draws finds those of one with more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from phonoscope_serving.admission.work import NOBODYS, Kind, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.around import AroundEngine
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.remembered import Remembered
from phonoscope_serving.tensors import Array, Tensors

# Of an ascent no step comes twice, and a track's pieces are many and seldom asked for again.
KINDS = frozenset({Kind.PREDICT, Kind.EXPLAIN, Kind.INVERT, Kind.AURALISE})


class RememberingEngine(AroundEngine):
    """An `Engine` around another."""

    def __init__(self, engine: Engine, bundle: Bundle, remembered: Remembered) -> None:
        """Asks another engine for what is not remembered.

        Args:
            engine: that runs the bundle; what watches it must be within, so that a proof is computed.
            bundle: which it runs.
            remembered: of that bundle alone.
        """
        super().__init__(engine)
        self._remembered = remembered
        self._has_rows = {name: config.max_batch_size > 0 for name, config in bundle.models.items()}

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

        async def asked(of: Tensors) -> dict[str, Array]:
            return await self._engine.infer(
                model, of, outputs=outputs, deadline=deadline, continues=continues, work=work
            )

        if work.kind not in KINDS or not inputs:
            return await asked(inputs)
        wanted = "*" if outputs is None else ",".join(sorted(outputs))
        if not self._has_rows.get(model):
            key = _digest(f"{model} {wanted}", *(_of(name, tensor) for name, tensor in sorted(inputs.items())))

            async def whole(keys: Sequence[bytes]) -> Mapping[bytes, dict[str, Array]]:
                return {keys[0]: await asked(inputs)}

            found = await self._remembered.each([key], whole, _size_bytes, work=work, deadline=deadline)
            return dict(found[key])
        keys = _row_keys(f"{model} {wanted}", inputs)

        async def rows(missing: Sequence[bytes]) -> Mapping[bytes, dict[str, Array]]:
            numbers = [keys.index(key) for key in missing]
            of = inputs if len(numbers) == len(keys) else {name: tensor[numbers] for name, tensor in inputs.items()}
            made = await asked(of)
            return {key: _row(made, number) for number, key in enumerate(missing)}

        found = await self._remembered.each(keys, rows, _size_bytes, work=work, deadline=deadline)
        if len(keys) == 1:
            return dict(found[keys[0]])
        return {name: np.concatenate([found[key][name] for key in keys]) for name in found[keys[0]]}

    async def close(self) -> None:
        """See `Engine.close`."""
        self._remembered.clear()
        await super().close()


def _row_keys(asked: str, inputs: Tensors) -> list[bytes]:
    """What each row is remembered by; rows of the same numbers, such as one excerpt tried often, are read once."""
    columns: list[list[bytes]] = []
    for name, tensor in sorted(inputs.items()):
        column: list[bytes] = []
        for number, row in enumerate(tensor):
            same = number > 0 and np.array_equal(row, tensor[number - 1])
            column.append(column[-1] if same else _of(name, row))
        columns.append(column)
    return [_digest(asked, *row) for row in zip(*columns, strict=True)]


def _row(made: Mapping[str, Array], number: int) -> dict[str, Array]:
    """One row of a batch, on its own: a view would keep the whole batch."""
    row = {name: tensor[number : number + 1].copy() for name, tensor in made.items()}
    for tensor in row.values():
        tensor.flags.writeable = False  # it is another's, too
    return row


def _of(name: str, tensor: Array) -> bytes:
    said = f"{name} {tensor.dtype.str} {tensor.shape}".encode()
    return hashlib.sha256(said + b"\0" + hashlib.sha256(np.ascontiguousarray(tensor).data).digest()).digest()


def _digest(asked: str, *parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join([asked.encode(), *parts])).digest()


def _size_bytes(made: Mapping[str, Array]) -> int:
    return sum(tensor.nbytes for tensor in made.values())

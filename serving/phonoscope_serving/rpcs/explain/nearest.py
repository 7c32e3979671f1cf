"""Nearest examples: excerpts of the bundle's own music that the listener holds for most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.exchange import NEAREST, Example
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import InvalidRequest, NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.tensors import Floats


@dataclass(frozen=True)
class Nearest:
    """One of them."""

    example: Example
    distance: float  # in the last hidden layer; 1 is the median between two excerpts of the bundle's


def check_nearest(listener: Listener, count: int) -> None:
    """Refuses what `nearest` could not answer.

    Raises:
        InvalidRequest: more are asked for than there are.
        NotInBundle: the bundle has no examples of the listener.
    """
    examples = listener.exchange.examples if listener.exchange else ()
    if count and not examples:
        raise NotInBundle(f"the bundle has no examples that {listener.name} was asked about: ask without nearest")
    if count > len(examples):
        raise InvalidRequest.at("nearest", f"is {count}; the bundle has {len(examples)} examples")


async def nearest(call: Call, samples: Floats, count: int) -> tuple[Nearest, ...]:
    """The nearest examples, the very nearest first.

    Args:
        call: what answers.
        samples: `[1, N]` the excerpt.
        count: how many; see `check_nearest`.

    Raises:
        RequestError: see `Engine.infer`.
    """
    if not count or call.listener.exchange is None:
        return ()
    answer = await call.infer(call.listener.model(NEAREST), {"samples": samples}, continues=True)
    distance = answer["distance"][0]
    first = np.argsort(distance, kind="stable")[:count]
    return tuple(Nearest(call.listener.exchange.examples[each], float(distance[each])) for each in first)

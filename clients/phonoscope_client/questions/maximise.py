"""`Client.maximise`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from phonoscope_client.messages import maximisation as maximisation_messages
from phonoscope_client.messages.listener import Choice
from phonoscope_client.questions.question import StreamQuestion
from phonoscope_client.results.maximisation import Direction, Maximisation, MaximisationProgress
from phonoscope_client.results.parts import MapPrecision
from phonoscope_client.results.response import ResponseTerm


def maximise(
    terms: Sequence[ResponseTerm] = (),
    *,
    position: tuple[int, int] | None = None,
    direction: Direction = "maximise",
    examples: int = 4,
    seed: int = 0,
    steps: int | None = None,
    learning_rate: float | None = None,
    prior_weight: float | None = None,
    listen: bool = True,
    on_progress: Callable[[MaximisationProgress], None] | None = None,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
    map_precision: MapPrecision = "float32",
) -> StreamQuestion[Maximisation]:
    """Sounds that a unit, a layer or any weighted sum of units responds to most, or least.

    Args:
        terms: what is to respond, added up; none for the output before its sigmoid.
        position: frame and band in a layer's maps whose response counts; None for the mean of the map.
        direction: "maximise" or "minimise".
        examples: how many sounds, 1 to 16.
        seed: of the random sounds they are found from.
        steps: of the optimiser, 0 to 2000; None for the bundle's own, likewise below.
        learning_rate: length of a step, above 0 to 1.
        prior_weight: how much it counts to stay close to music, 0 to 10.
        listen: whether to return every example as sound as well.
        on_progress: called every few steps, in the calling thread; what it raises ends the call and arrives here.
        listener: whose units, by name, as `describe` lists them; None for the bundle's first.
        label: without terms, the label whose output is to respond; None for the listener's first.
        contrast: without terms, the label whose output is subtracted.
        map_precision: in which maps travel: "float16" halves their bytes and rounds them to three digits.

    Raises:
        NotInBundleError: the bundle that is served has no generator.
    """
    request = maximisation_messages.request(
        terms,
        position,
        direction,
        examples,
        seed,
        steps,
        learning_rate,
        prior_weight,
        listen,
        Choice(listener, label, contrast),
        map_precision,
    )
    begin = partial(maximisation_messages.MaximisationReading, request, terms, direction, on_progress)
    return StreamQuestion("Maximise", request, begin)

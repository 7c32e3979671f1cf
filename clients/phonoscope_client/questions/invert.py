"""`Client.invert_layers`."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from phonoscope_client import arguments
from phonoscope_client.messages import inversion as inversion_messages
from phonoscope_client.messages.listener import Choice
from phonoscope_client.questions.question import Question
from phonoscope_client.results.inversion import Inversions
from phonoscope_client.results.parts import MapPrecision
from phonoscope_client.transport import audio as sound
from phonoscope_client.transport.audio import AudioInput


def invert_layers(
    audio: AudioInput,
    at_s: float,
    *,
    layers: Collection[str] = (),
    listen: bool = True,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
    map_precision: MapPrecision = "float32",
) -> Question[Inversions]:
    """What each layer of the detector keeps of one moment of a recording.

    Args:
        audio: as for `explain`.
        at_s: the moment, in seconds from the start.
        layers: names of layers, each once, as `describe` lists them; none for all that can be inverted.
        listen: whether to return the excerpt and every inversion as sound as well.
        listener: whose layers, by name, as `describe` lists them; None for the bundle's first.
        label: whose probability is wanted; None for the one predicted.
        contrast: another label, to compare it with.
        map_precision: in which maps travel: "float16" halves their bytes and rounds them to three digits.

    Raises:
        OutOfRangeError: `at_s` lies outside the recording.
        NotInBundleError: the bundle that is served has no networks that invert layers.
    """
    at_s = arguments.moment(at_s)
    section = sound.around(audio, at_s)
    request = inversion_messages.request(
        section.message, at_s - section.start_s, layers, listen, Choice(listener, label, contrast), map_precision
    )
    return Question("InvertLayers", request, partial(inversion_messages.inversions, section=section))

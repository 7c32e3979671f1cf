"""`Client.auralise`."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from phonoscope_client import arguments
from phonoscope_client.messages import auralisation as auralisation_messages
from phonoscope_client.messages.listener import Choice
from phonoscope_client.questions.question import Question
from phonoscope_client.results.auralisation import Auralisation, Network, Resynthesis
from phonoscope_client.results.parts import MapPrecision
from phonoscope_client.transport import audio as sound
from phonoscope_client.transport.audio import AudioInput


def auralise(
    audio: AudioInput,
    at_s: float,
    layer: str,
    *,
    features: Collection[int] = (),
    strongest: int | None = None,
    network: Network = "tagger",
    resynthesis: Resynthesis = "phase",
    largest_activation_only: bool = False,
    listen: bool = True,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
    map_precision: MapPrecision = "float32",
) -> Question[Auralisation]:
    """What features of one layer hear of one moment of a recording; many cost little more than one.

    Args:
        audio: as for `explain`.
        at_s: the moment, in seconds from the start; the clip lies around it.
        layer: name of one of the network's convolutions, as `describe` lists them.
        features: numbers of features, from 0, each once.
        strongest: instead, how many of those that answer most strongly; 8 where neither is given.
        network: whose features, "tagger" or "detector".
        resynthesis: "phase", the picture is the magnitude and the recording lends its phase, or "spectrum", the
            recording's complex spectrum times the picture.
        largest_activation_only: keep only the largest activation of each feature's map instead of the whole map.
        listen: whether to return the clip and every picture as sound as well.
        listener: instead of `network`, any listener by name, as `describe` lists them.
        label: the label that the answer is to name; None for the one predicted.
        contrast: another label, to compare it with.
        map_precision: in which maps travel: "float16" halves their bytes and rounds them to three digits.

    Raises:
        OutOfRangeError: `at_s` lies outside the recording.
        NotInBundleError: the bundle that is served cannot make the network heard.
    """
    at_s = arguments.moment(at_s)
    section = sound.around(audio, at_s)
    request = auralisation_messages.request(
        section.message,
        at_s - section.start_s,
        network,
        layer,
        features,
        strongest,
        largest_activation_only,
        resynthesis,
        listen,
        Choice(listener, label, contrast),
        map_precision,
    )
    read = partial(auralisation_messages.auralisation, network=network, layer=layer, section=section)
    return Question("Auralise", request, read)

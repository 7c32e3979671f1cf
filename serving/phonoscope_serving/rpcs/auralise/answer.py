"""What features of a network hear of one moment: composed of the bundle's models, nothing computed here.

A deconvnet takes a feature's map back to a picture in the network's input (Zeiler & Fergus 2014), and the picture is
made sound with the recording's phase (Choi et al. 2016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.errors import InvalidRequest, NotInBundle, Violation, shown
from phonoscope_serving.rpcs.auralise.networks import ROW_OUTPUTS, AudibleNetwork
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.label_answers import LabelAnswer, label_answers
from phonoscope_serving.sound.audio import AudioSource
from phonoscope_serving.sound.excerpt import Excerpt
from phonoscope_serving.tensors import Array, Floats

MOST_FEATURES = 64  # in one call; the contract states the same number
DEFAULT_STRONGEST = 8
FEATURES_A_TURN = 16  # in one pass: more cost little less for each, and others wait for their turn


class Resynthesis(IntEnum):
    """How a picture becomes sound; values as the models take them."""

    PHASE = 1  # the picture is the magnitude, the recording lends its phase
    SPECTRUM = 2  # the recording's complex spectrum times the picture over its largest absolute value


@dataclass(frozen=True)
class AuralisationQuestion:
    """What is asked of one recording."""

    at_s: float  # the moment, in seconds from the recording's start
    network: str
    layer: str
    features: tuple[int, ...]  # numbers from 0; none asks for the strongest
    strongest: int  # how many, where no feature is named; 0 stands for `DEFAULT_STRONGEST`
    largest_activation_only: bool
    resynthesis: Resynthesis
    listen: bool  # also return sound
    label: str = ""  # of the network; empty for the one predicted
    contrast: str = ""
    half_maps: bool = False  # return maps in two bytes a value


@dataclass(frozen=True)
class HeardFeature:
    """What one feature hears."""

    feature: int
    strength: float  # mean absolute activation of its map
    heard: Floats  # `[T, F]`
    audio: Floats | None  # `[N]`


@dataclass(frozen=True)
class Auralisation:
    """What features of one layer hear of one clip."""

    excerpt: Excerpt
    network: AudibleNetwork
    given: Floats  # `[T, F]` what the network is given
    probability: tuple[float, ...]  # of each of the network's labels
    claim: Claim  # the label that is asked about, or predicted
    labels: dict[str, LabelAnswer]  # what the network says of each
    layer: str
    features: tuple[HeardFeature, ...]


async def auralise(
    call: Call, networks: Mapping[str, AudibleNetwork], source: AudioSource, question: AuralisationQuestion
) -> Auralisation:
    """Makes features heard at one moment of a recording, many in one pass of the network.

    Args:
        call: what answers.
        networks: those of its bundle, by name.
        source: the recording.
        question: the moment and the features.

    Raises:
        NotInBundle: the bundle cannot make the network heard.
        InvalidRequest: the network has no such layer or feature, or see `excerpt_around`.
        RequestError: see `Call.excerpt` and `Engine.infer`.
    """
    if question.network not in networks:
        raise NotInBundle(f"the bundle holds nothing that makes features of the {question.network} heard")
    network = networks[question.network]
    network.decision.check(question.label, question.contrast)
    wanted = _wanted(network, question)
    excerpt = await call.excerpt(source, network.front_end, question.at_s)
    parts = [
        await _pass(call, network, excerpt, question, wanted[first : first + FEATURES_A_TURN], continues=first > 0)
        for first in range(0, len(wanted), FEATURES_A_TURN)
    ]
    answer, decision = parts[0], network.decision
    probability = answer[network.probability][0]
    return Auralisation(
        excerpt=excerpt,
        network=network,
        given=answer[network.given][0],
        probability=tuple(map(float, probability)),
        claim=decision.claim(question.label, question.contrast, probability),
        labels=label_answers(decision, probability),
        layer=question.layer,
        features=tuple(feature for part in parts for feature in _features(part)),
    )


async def _pass(
    call: Call,
    network: AudibleNetwork,
    excerpt: Excerpt,
    question: AuralisationQuestion,
    wanted: tuple[int, ...],
    *,
    continues: bool,
) -> dict[str, Array]:
    """Some of the features, in one pass of the network."""
    inputs: dict[str, Array] = {
        "samples": excerpt.samples,
        "layer": np.full((1, len(wanted)), list(network.layers).index(question.layer), np.int32),
        "feature": np.array([wanted], np.int32),
        "strongest_only": np.array([[question.largest_activation_only]], np.int32),
        "resynthesis": np.array([[question.resynthesis]], np.int32),
    }
    outputs = [network.given, network.probability, *ROW_OUTPUTS, *(["audio"] if question.listen else [])]
    return await call.infer(network.ensemble, inputs, outputs=outputs, continues=continues)


def _features(answer: Mapping[str, Array]) -> Iterator[HeardFeature]:
    rows = len(answer["chosen"][0])
    sounds = answer["audio"][0] if "audio" in answer else [None] * rows
    for number, strength, heard, sound in zip(
        answer["chosen"][0], answer["strength"][0], answer["heard"][0], sounds, strict=True
    ):
        yield HeardFeature(int(number), float(strength), heard, sound)


def _wanted(network: AudibleNetwork, question: AuralisationQuestion) -> tuple[int, ...]:
    """The features as the models take them: numbers, or -1 for the strongest, -2 for the next, and so on."""
    if question.layer not in network.layers:
        layers = ", ".join(network.layers)
        raise InvalidRequest.at("layer", f"is {shown(question.layer)}; those of the {network.name} are {layers}")
    width = network.layers[question.layer]
    if not question.features:
        return tuple(-1 - rank for rank in range(min(question.strongest or DEFAULT_STRONGEST, width)))
    wrong = [
        Violation(f"features[{position}]", f"is {feature}; {question.layer} has features 0 to {width - 1}")
        for position, feature in enumerate(question.features)
        if feature >= width
    ]
    if wrong:
        raise InvalidRequest(wrong)
    return question.features

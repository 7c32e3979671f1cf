"""What each layer of a listener keeps of one moment: composed of the bundle's models, nothing computed here.

A network trained for one layer rebuilds the standardised log-mel from that layer's activation (feature inversion,
ISMIR 2018); what it cannot rebuild, the layer has lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.error_distribution import is_out_of_distribution, percentile
from phonoscope_serving.bundle.layers import INVERSION_ENTRY_POINTS, error_output, inverted_output
from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.errors import InvalidRequest, NotInBundle, Violation, shown
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.label_answers import LabelAnswer, label_answers
from phonoscope_serving.sound.audio import AudioSource
from phonoscope_serving.sound.excerpt import Excerpt
from phonoscope_serving.tensors import Array, Floats

INVERT_LAYERS, SONIFY = INVERSION_ENTRY_POINTS
EXCERPT_OUTPUTS = ("log_mel", "standardised", "probability")


@dataclass(frozen=True)
class InversionQuestion:
    """What is asked of one recording."""

    at_s: float  # the moment, in seconds from the recording's start
    layers: tuple[str, ...]  # none stands for all the bundle can invert
    listen: bool  # also return sound
    label: str = ""  # of the listener; empty for the one predicted
    contrast: str = ""
    half_maps: bool = False  # return maps in two bytes a value


@dataclass(frozen=True)
class Inversion:
    """What one layer keeps."""

    layer: str
    inverted: Floats  # `[T, M]`, standardised
    reconstruction_error: float  # Euclidean distance from the excerpt ÷ that between validation excerpts
    reconstruction_percentile: float  # share of validation excerpts with a lower error at this layer, in [0, 1]
    out_of_distribution: bool
    audio: Floats | None  # `[N]` at the front-end's rate


@dataclass(frozen=True)
class Inversions:
    """What the layers asked for keep of one excerpt; maps are `[T, M]` float32."""

    excerpt: Excerpt
    log_mel: Floats
    standardised: Floats
    claim: Claim  # the label that is asked about, or predicted
    probability: float  # as it gives it
    labels: dict[str, LabelAnswer]  # what the listener says of each
    layers: tuple[Inversion, ...]
    log_mel_audio: Floats | None  # `[N]`: the excerpt's log-mel as sound, made as that of the inversions is


async def invert_layers(call: Call, source: AudioSource, question: InversionQuestion) -> Inversions:
    """Inverts layers at one moment of a recording; layers that are not asked for are not computed.

    Args:
        call: what answers.
        source: the recording.
        question: the moment and the layers.

    Raises:
        NotInBundle: the bundle inverts no layer of the listener at all.
        InvalidRequest: a layer or label is not one of the listener's, or see `excerpt_around`.
        RequestError: see `Call.excerpt` and `Engine.infer`.
    """
    listener = call.listener
    listener.decision.check(question.label, question.contrast)
    wanted = _wanted(call, question.layers)
    excerpt = await call.excerpt(source, listener.front_end, question.at_s)
    outputs = [*EXCERPT_OUTPUTS]
    for layer in wanted:
        outputs += [inverted_output(layer), error_output(layer)]
    answer = await call.infer(listener.model(INVERT_LAYERS), {"samples": excerpt.samples}, outputs=outputs)
    sounds: Sequence[Floats | None] = [None] * (1 + len(wanted))
    if question.listen:
        spectrograms = [answer["standardised"], *(answer[inverted_output(layer)] for layer in wanted)]
        sounds = await _sonified(call, excerpt, spectrograms)
    probability = answer["probability"][0]
    claim = listener.decision.claim(question.label, question.contrast, probability)
    return Inversions(
        excerpt=excerpt,
        log_mel=answer["log_mel"][0],
        standardised=answer["standardised"][0],
        claim=claim,
        probability=float(claim.probability(probability)),
        labels=label_answers(listener.decision, probability),
        layers=tuple(
            _inversion(listener, layer, answer, sound) for layer, sound in zip(wanted, sounds[1:], strict=True)
        ),
        log_mel_audio=sounds[0],
    )


def _wanted(call: Call, layers: tuple[str, ...]) -> tuple[str, ...]:
    """The layers a question names, each checked; all of them where it names none."""
    known = tuple(call.listener.inversion_error_quantiles)
    if not known:
        whose = "" if call.listener is call.bundle.default else f" of {call.listener.name}"
        raise NotInBundle(f"the bundle {call.bundle.name} has no networks that invert layers{whose}")
    may = f"the bundle inverts {', '.join(known)}"
    if len(layers) > len(known):
        raise InvalidRequest.at("layers", f"names {len(layers)} layers; {may}, and each may be named once")
    wrong = [
        Violation(f"layers[{position}]", f"is {shown(layer)}; {may}")
        for position, layer in enumerate(layers)
        if layer not in known
    ]
    wrong += [
        Violation(f"layers[{position}]", f"is {shown(layer)} once more; each may be named once")
        for position, layer in enumerate(layers)
        if layer in known and layer in layers[:position]
    ]
    if wrong:
        raise InvalidRequest(wrong)
    return layers or known


async def _sonified(call: Call, excerpt: Excerpt, spectrograms: Sequence[Floats]) -> Sequence[Floats]:
    """Every `[1, T, M]` standardised spectrogram as sound with the excerpt's phase, in one call."""
    inputs = {
        "samples": np.repeat(excerpt.samples, len(spectrograms), axis=0),
        "standardised": np.concatenate(spectrograms),
    }
    heard = await call.infer(call.listener.model(SONIFY), inputs, continues=True)
    return list(heard["audio"])


def _inversion(listener: Listener, layer: str, answer: Mapping[str, Array], audio: Floats | None) -> Inversion:
    error = float(answer[error_output(layer)][0, 0])
    quantiles = listener.inversion_error_quantiles[layer]
    return Inversion(
        layer=layer,
        inverted=answer[inverted_output(layer)][0],
        reconstruction_error=error,
        reconstruction_percentile=percentile(error, quantiles),
        out_of_distribution=is_out_of_distribution(error, quantiles),
        audio=audio,
    )

"""What is wrong with a request, as far as its fields alone can tell; `sound/audio.py` judges what needs decoding."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from phonoscope.v1 import (
    audio_pb2,
    auralisation_pb2,
    decision_pb2,
    explanation_pb2,
    inversion_pb2,
    maximisation_pb2,
    prediction_pb2,
    track_pb2,
)

from phonoscope_serving.errors import Violation
from phonoscope_serving.rpcs.auralise.answer import MOST_FEATURES
from phonoscope_serving.rpcs.auralise.messages import NETWORKS as NETWORK_NAMES
from phonoscope_serving.rpcs.explain.answer import LARGEST_SEED
from phonoscope_serving.sound.audio import LIMITS

BYTES_PER_SAMPLE = 4
LARGEST_OUTSIDE_DB = 120
MOST_TERMS, LARGEST_WEIGHT = 64, 1000
MOST_EXAMPLES, MOST_STEPS = 16, 2000
MOST_CHUNK_BYTES = 1 << 20
SHORTEST_EVERY_S, LONGEST_EVERY_S = 0.05, 3600
MOST_MOMENTS, MOST_EXTREMES = 1000, 100
LONGEST_FILTER_S, LONGEST_MINIMUM_S = 10, 60
LARGEST_LEARNING_RATE, LARGEST_PRIOR_WEIGHT = 1, 10


def violations(request: object) -> list[Violation]:
    """Every field of a request that is missing or outside its range; empty where the request is sound."""
    check = CHECKS.get(type(request))
    return list(check(request)) if check else []


def enum_violations(message: Any, before: str = "") -> Iterator[Violation]:  # noqa: ANN401 - protobuf
    """Which fields of a message name nothing that the contract has; `before` stands before each field's name."""
    for field in message.DESCRIPTOR.fields:
        if (
            field.enum_type is not None
            and (number := getattr(message, field.name)) not in field.enum_type.values_by_number
        ):
            kind = re.sub("(?<=[a-z])(?=[A-Z])", " ", field.enum_type.name).lower()
            yield Violation(f"{before}{field.name}", f"is {number}, which names no {kind}")


def predict_violations(request: prediction_pb2.PredictRequest) -> Iterator[Violation]:
    """What is wrong with a PredictRequest."""
    yield from audio_violations(request.audio, "audio")
    yield from decision_violations(request.decision, "decision")


def explain_violations(request: explanation_pb2.ExplainRequest) -> Iterator[Violation]:
    """What is wrong with an ExplainRequest; whether its rule is the bundle's is for `rpcs/explain` to say."""
    yield from audio_violations(request.audio, "audio")
    yield from moment_violations(request.at_s, "at_s")
    yield from region_violations(request.region, "region")
    yield from enum_violations(request)
    if not 0 <= request.outside_db <= LARGEST_OUTSIDE_DB:
        yield Violation("outside_db", f"is {request.outside_db:g}; it must be in [0, {LARGEST_OUTSIDE_DB}] dB")
    if request.control_seed > LARGEST_SEED:
        yield Violation("control_seed", f"is {request.control_seed}; it must be in [0, {LARGEST_SEED}]")


def invert_layers_violations(request: inversion_pb2.InvertLayersRequest) -> Iterator[Violation]:
    """What is wrong with an InvertLayersRequest; whether its layers are the bundle's is for `rpcs/invert` to say."""
    yield from audio_violations(request.audio, "audio")
    yield from enum_violations(request)
    yield from moment_violations(request.at_s, "at_s")


def auralise_violations(request: auralisation_pb2.AuraliseRequest) -> Iterator[Violation]:
    """What is wrong with an AuraliseRequest; whether the network has its layer and features is for `rpcs/auralise`."""
    yield from audio_violations(request.audio, "audio")
    yield from enum_violations(request)
    yield from moment_violations(request.at_s, "at_s")
    if request.listener and NETWORK_NAMES.get(request.network, request.listener) != request.listener:
        yield Violation("network", f"is {NETWORK_NAMES[request.network]}; give it or listener, not two different ones")
    if len(request.features) > MOST_FEATURES:
        yield Violation("features", f"names {len(request.features)}; at most {MOST_FEATURES} are answered at once")
    elif len(set(request.features)) < len(request.features):
        yield Violation("features", "names one more than once")
    if request.strongest > MOST_FEATURES:
        yield Violation("strongest", f"is {request.strongest}; at most {MOST_FEATURES} are answered at once")
    if request.strongest and request.features:
        yield Violation("strongest", "is given together with features; give one of the two")


def maximise_violations(request: maximisation_pb2.MaximiseRequest) -> Iterator[Violation]:
    """What is wrong with a MaximiseRequest; whether the detector has its layers and channels is for `rpcs/maximise`."""
    yield from enum_violations(request)
    if len(request.terms) > MOST_TERMS:
        yield Violation("terms", f"names {len(request.terms)}; at most {MOST_TERMS} are added up")
    for number, term in enumerate(request.terms[:MOST_TERMS]):
        if not abs(term.weight) <= LARGEST_WEIGHT:  # NaN compares false
            limit = f"-{LARGEST_WEIGHT} to {LARGEST_WEIGHT}"
            yield Violation(f"terms[{number}].weight", f"is {term.weight:g}; it must be {limit}")
    if request.examples > MOST_EXAMPLES:
        yield Violation("examples", f"is {request.examples}; it must be 1 to {MOST_EXAMPLES}, or 0 for the default")
    if request.steps > MOST_STEPS:
        yield Violation("steps", f"is {request.steps}; it must be 0 to {MOST_STEPS}")
    if request.HasField("learning_rate") and not 0 < request.learning_rate <= LARGEST_LEARNING_RATE:
        yield Violation("learning_rate", f"is {request.learning_rate:g}; it must be in (0, {LARGEST_LEARNING_RATE}]")
    if not 0 <= request.prior_weight <= LARGEST_PRIOR_WEIGHT:
        yield Violation("prior_weight", f"is {request.prior_weight:g}; it must be in [0, {LARGEST_PRIOR_WEIGHT}]")


def explain_track_violations(request: track_pb2.ExplainTrackRequest) -> Iterator[Violation]:
    """What is wrong with an ExplainTrackRequest; whether its rule is the bundle's is for `rpcs/track` to say."""
    match request.WhichOneof("part"):
        case None:
            yield Violation("part", "is missing: give settings, then chunks")
        case "settings":
            yield from track_settings_violations(request.settings)
        case "chunk":
            if not 0 < len(request.chunk) <= MOST_CHUNK_BYTES:
                yield Violation("chunk", f"holds {len(request.chunk)} bytes; it must hold 1 to {MOST_CHUNK_BYTES}")


def track_settings_violations(settings: track_pb2.TrackSettings) -> Iterator[Violation]:
    """What is wrong with TrackSettings."""
    match settings.WhichOneof("sound"):
        case None:
            yield Violation("settings.sound", "is missing: give encoded or pcm")
        case "pcm":
            yield from format_violations(settings.pcm.sample_rate_hz, settings.pcm.channels, "settings.pcm")
    yield from track_moments_violations(settings.moments, "settings.moments")
    yield from region_violations(settings.region, "settings.region")
    yield from enum_violations(settings, "settings.")
    if settings.control_seed > LARGEST_SEED:
        yield Violation("settings.control_seed", f"is {settings.control_seed}; it must be in [0, {LARGEST_SEED}]")
    if not 0 <= settings.outside_db <= LARGEST_OUTSIDE_DB:
        limit = f"[0, {LARGEST_OUTSIDE_DB}] dB"
        yield Violation("settings.outside_db", f"is {settings.outside_db:g}; it must be in {limit}")
    yield from decision_violations(settings.decision, "settings.decision")
    yield from moment_violations(settings.from_s, "settings.from_s")


def track_moments_violations(moments: track_pb2.TrackMoments, field: str) -> Iterator[Violation]:
    """What is wrong with TrackMoments; whether its label is the listener's is for `rpcs/track` to say."""
    yield from enum_violations(moments, f"{field}.")
    if moments.every_s and not SHORTEST_EVERY_S <= moments.every_s <= LONGEST_EVERY_S:
        limit = f"{SHORTEST_EVERY_S} to {LONGEST_EVERY_S} s, or 0 for none"
        yield Violation(f"{field}.every_s", f"is {moments.every_s:g}; it must be {limit}")
    if moments.where_label and moments.where_label_name:
        yield Violation(f"{field}.where_label_name", "is given beside where_label; give one of them")
    for name in ("most_certain", "least_certain"):
        if (count := getattr(moments, name)) > MOST_EXTREMES:
            yield Violation(f"{field}.{name}", f"is {count}; at most {MOST_EXTREMES} are found")
    if len(moments.at_s) > MOST_MOMENTS:
        yield Violation(f"{field}.at_s", f"names {len(moments.at_s)} moments; at most {MOST_MOMENTS} are explained")
    for number, at_s in enumerate(moments.at_s[:MOST_MOMENTS]):
        yield from moment_violations(at_s, f"{field}.at_s[{number}]")


def moment_violations(at_s: float, field: str) -> Iterator[Violation]:
    """What is wrong with a moment."""
    if not (math.isfinite(at_s) and at_s >= 0):
        yield Violation(field, f"is {at_s:g}; it must be finite and at least 0 s")


def audio_violations(audio: audio_pb2.Audio, field: str) -> Iterator[Violation]:
    """What is wrong with an Audio."""
    match audio.WhichOneof("source"):
        case None:
            yield Violation(field, "is missing: give encoded or pcm")
        case "encoded":
            yield from _size_violations(audio.encoded, f"{field}.encoded")
        case "pcm":
            yield from pcm_violations(audio.pcm, f"{field}.pcm")


def pcm_violations(pcm: audio_pb2.PcmAudio, field: str) -> Iterator[Violation]:
    """What is wrong with a PcmAudio."""
    yield from _size_violations(pcm.samples, f"{field}.samples")
    yield from format_violations(pcm.sample_rate_hz, pcm.channels, field)
    frame_bytes = BYTES_PER_SAMPLE * max(1, pcm.channels)
    if len(pcm.samples) % frame_bytes:
        yield Violation(
            f"{field}.samples",
            f"holds {len(pcm.samples)} bytes, which is no multiple of {frame_bytes} "
            f"({BYTES_PER_SAMPLE} for each of {max(1, pcm.channels)} channels)",
        )


def format_violations(sample_rate_hz: int, channels: int, field: str) -> Iterator[Violation]:
    """What is wrong with a sample rate and a number of channels."""
    if not LIMITS.min_sample_rate_hz <= sample_rate_hz <= LIMITS.max_sample_rate_hz:
        limit = f"{LIMITS.min_sample_rate_hz} to {LIMITS.max_sample_rate_hz} Hz"
        yield Violation(f"{field}.sample_rate_hz", f"is {sample_rate_hz}; it must be {limit}")
    if channels > LIMITS.max_channels:
        yield Violation(f"{field}.channels", f"is {channels}; at most {LIMITS.max_channels} are accepted")


def region_violations(region: explanation_pb2.RegionChoice, field: str) -> Iterator[Violation]:
    """What is wrong with a RegionChoice."""
    match region.WhichOneof("choice"):
        case "alpha" if not 0 <= region.alpha <= 1:
            yield Violation(f"{field}.alpha", f"is {region.alpha:g}; it must be in [0, 1]")
        case "maximum_area" if not 0 < region.maximum_area <= 1:
            yield Violation(f"{field}.maximum_area", f"is {region.maximum_area:g}; it must be in (0, 1]")
        case "largest_alpha_that_keeps_label" if not region.largest_alpha_that_keeps_label:
            yield Violation(
                f"{field}.largest_alpha_that_keeps_label", "is false; leave the choice out for the rule's default alpha"
            )


def _size_violations(content: bytes, field: str) -> Iterator[Violation]:
    if not content:
        yield Violation(field, "is empty")
    if len(content) > LIMITS.max_bytes:
        yield Violation(field, f"holds {len(content)} bytes; at most {LIMITS.max_bytes} are accepted")


def decision_violations(decision: decision_pb2.Decision, field: str) -> Iterator[Violation]:
    """What is wrong with a Decision."""
    if not 0 <= decision.median_filter_s <= LONGEST_FILTER_S:
        limit = f"0 to {LONGEST_FILTER_S} s"
        yield Violation(f"{field}.median_filter_s", f"is {decision.median_filter_s:g}; it must be {limit}")
    if decision.HasField("threshold") and not 0 < decision.threshold < 1:
        yield Violation(f"{field}.threshold", f"is {decision.threshold:g}; it must be above 0 and below 1")
    if not 0 <= decision.minimum_s <= LONGEST_MINIMUM_S:
        yield Violation(f"{field}.minimum_s", f"is {decision.minimum_s:g}; it must be 0 to {LONGEST_MINIMUM_S} s")


CHECKS: dict[type, Callable[[Any], Iterator[Violation]]] = {
    prediction_pb2.PredictRequest: predict_violations,
    explanation_pb2.ExplainRequest: explain_violations,
    inversion_pb2.InvertLayersRequest: invert_layers_violations,
    auralisation_pb2.AuraliseRequest: auralise_violations,
    maximisation_pb2.MaximiseRequest: maximise_violations,
    track_pb2.ExplainTrackRequest: explain_track_violations,
}

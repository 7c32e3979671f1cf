"""How much a request asks for: which variant of its kind of work, and how many units of it."""

from __future__ import annotations

import math
from typing import Any

from phonoscope.v1 import auralisation_pb2, explanation_pb2, inversion_pb2, maximisation_pb2, prediction_pb2, track_pb2

from phonoscope_serving.admission.work import Kind
from phonoscope_serving.rpcs.auralise.answer import DEFAULT_STRONGEST
from phonoscope_serving.rpcs.maximise.messages import DEFAULT_EXAMPLES
from phonoscope_serving.service.validation import BYTES_PER_SAMPLE
from phonoscope_serving.sound.audio import LIMITS

KINDS = {  # method → the kind of work it asks for; others cost the engine nothing
    "/phonoscope.v1.ExplainerService/Predict": Kind.PREDICT,
    "/phonoscope.v1.ExplainerService/Explain": Kind.EXPLAIN,
    "/phonoscope.v1.ExplainerService/ExplainTrack": Kind.TRACK,
    "/phonoscope.v1.ExplainerService/InvertLayers": Kind.INVERT,
    "/phonoscope.v1.ExplainerService/Auralise": Kind.AURALISE,
    "/phonoscope.v1.ExplainerService/Maximise": Kind.MAXIMISE,
}
FEATURES_OF_A_PASS = 4  # cost about what the pass of the network costs that they share


def weight(request: Any) -> tuple[str, float]:  # noqa: ANN401, PLR0911 - protobuf; a case for each RPC
    """The variant of a validated request, and its units; 0 where they are known only once its sound was opened."""
    match request:
        case prediction_pb2.PredictRequest():
            pcm = request.audio.pcm
            samples = len(pcm.samples) / BYTES_PER_SAMPLE / max(1, pcm.channels)
            return _whom(request), samples / max(1, pcm.sample_rate_hz)
        case explanation_pb2.ExplainRequest():
            return f"{request.region.WhichOneof('choice')} {_heard(request)}{_whom(request)}", 1
        case inversion_pb2.InvertLayersRequest():
            return ("some " if request.layers else "all ") + _heard(request), len(request.layers) or 1
        case auralisation_pb2.AuraliseRequest():
            features = len(request.features) or request.strongest or DEFAULT_STRONGEST
            return f"{request.network} {_heard(request)}", FEATURES_OF_A_PASS + features
        case maximisation_pb2.MaximiseRequest():
            steps = f"own, {request.direction}" if not request.HasField("steps") else "given"
            return f"{steps} {_heard(request)}", (request.examples or DEFAULT_EXAMPLES) * (1 + request.steps)
        case track_pb2.ExplainTrackRequest():
            return _density(request.settings), 0
    return "", 1


def _whom(request: Any) -> str:  # noqa: ANN401 - protobuf
    """Whether somebody is asked by name: names are the caller's, and of those there may be any number."""
    return " by name" if request.listener else ""


def whole_bytes(request: Any) -> int:  # noqa: ANN401 - protobuf
    """Bytes of sound that a part of a request announces, and that are held until it is answered."""
    if not isinstance(request, track_pb2.ExplainTrackRequest):
        return 0
    size_bytes: int = request.settings.encoded.size_bytes
    return size_bytes if size_bytes <= LIMITS.max_bytes else 0


def _density(settings: track_pb2.TrackSettings) -> str:
    """What makes a second of a track cost another amount: how much is tried, and how often, in octaves."""
    every_s = settings.moments.every_s
    often = f"every {2 ** round(math.log2(every_s)):g} s" if every_s else "few"
    return f"{settings.trust} {settings.region.WhichOneof('choice')} {_heard(settings)} {often}{_whom(settings)}"


def _heard(request: Any) -> str:  # noqa: ANN401 - protobuf
    return "heard" if request.listen else "seen"

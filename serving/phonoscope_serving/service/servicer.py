"""`phonoscope.v1.ExplainerService`: protobuf in, protobuf out, everything between in domain terms."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from phonoscope.v1 import (
    audio_pb2,
    auralisation_pb2,
    bundle_pb2,
    explainer_service_pb2,
    explainer_service_pb2_grpc,
    explanation_pb2,
    inversion_pb2,
    maximisation_pb2,
    prediction_pb2,
    track_pb2,
)

from phonoscope_serving.admission.work import WORK
from phonoscope_serving.bundle.listeners.listener import Listener, named
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs import describe as bundle_messages
from phonoscope_serving.rpcs import predict_messages as prediction_messages
from phonoscope_serving.rpcs.auralise import messages as auralisation_messages
from phonoscope_serving.rpcs.auralise.answer import auralise
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain import messages as explanation_messages
from phonoscope_serving.rpcs.explain.answer import explain
from phonoscope_serving.rpcs.explain.region import Alpha, LargestAlphaThatKeepsLabel, MaximumArea
from phonoscope_serving.rpcs.invert import messages as inversion_messages
from phonoscope_serving.rpcs.invert.answer import invert_layers
from phonoscope_serving.rpcs.maximise import messages as maximisation_messages
from phonoscope_serving.rpcs.maximise.answer import Example, maximise
from phonoscope_serving.rpcs.predict import predict
from phonoscope_serving.rpcs.quality import Quality
from phonoscope_serving.rpcs.track import messages as track_messages
from phonoscope_serving.rpcs.track.answer import Event, explain_track
from phonoscope_serving.rpcs.track.explaining import Moment
from phonoscope_serving.rpcs.track.parts import Parts, chunks_of, settings_of
from phonoscope_serving.rpcs.track.question import TrackQuestion
from phonoscope_serving.rpcs.track.summary import Summary
from phonoscope_serving.service.request_context import deadline
from phonoscope_serving.service.swapping.served import Served
from phonoscope_serving.service.swapping.shelf import Shelf
from phonoscope_serving.sound.audio import AudioSource, EncodedAudio, PcmAudio
from phonoscope_serving.sound.decoding import Decoder

SERVICE_NAME: str = explainer_service_pb2.DESCRIPTOR.services_by_name["ExplainerService"].full_name


class ExplainerServicer(explainer_service_pb2_grpc.ExplainerServiceServicer):
    """Answers validated requests."""

    def __init__(self, shelf: Shelf, decoder: Decoder, quality: Quality) -> None:
        self._shelf, self._decoder, self._quality = shelf, decoder, quality

    async def Predict(  # noqa: N802 - the name of the RPC
        self,
        request: prediction_pb2.PredictRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> prediction_pb2.PredictResponse:
        """What a listener says along a recording."""
        with self._shelf.lend() as served:
            call = self._call(served, request, context)
            prediction_messages.check(request, call.listener)
            curve = await predict(call, _source(request.audio))
            self._quality.observe_sound(curve.warnings)
            return prediction_messages.response(curve, request, call.listener, served.reference)

    async def Explain(  # noqa: N802 - the name of the RPC
        self,
        request: explanation_pb2.ExplainRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> explanation_pb2.ExplainResponse:
        """Why a listener answered as it did."""
        question, source = explanation_messages.question(request), _source(request.audio)
        with self._shelf.lend() as served:
            call = self._call(served, request, context)
            answer = await explain(call, source, question)
            self._quality.observe_sound(answer.warnings)
            self._quality.observe_explanation(
                served.bundle.name,
                call.listener.name,
                answer.rule,
                _REGION_NAMES[type(question.region)],
                question.masking.name.lower(),
                answer.trust,
            )
            return explanation_messages.response(answer, question, call.listener, served.reference)

    async def ExplainTrack(  # noqa: N802 - the name of the RPC
        self,
        parts: Parts,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> AsyncGenerator[track_pb2.ExplainTrackResponse]:
        """A whole track, its curve and why along it."""
        began_s, settings = time.monotonic(), await settings_of(parts)
        with self._shelf.lend() as served:
            call, chunks = self._call(served, settings, context), chunks_of(parts)
            question = track_messages.question(settings, call.listener)
            async with aclosing(chunks), aclosing(explain_track(call, question, chunks)) as events:
                async for event in events:
                    self._observe_track(served, call.listener, question, event)
                    seconds = time.monotonic() - began_s
                    yield track_messages.response(event, question, call.listener, served.reference, seconds)

    async def InvertLayers(  # noqa: N802 - the name of the RPC
        self,
        request: inversion_pb2.InvertLayersRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> inversion_pb2.InvertLayersResponse:
        """What each layer keeps."""
        began_s = time.monotonic()
        question, source = inversion_messages.question(request), _source(request.audio)
        with self._shelf.lend() as served:
            call = self._call(served, request, context)
            answer = await invert_layers(call, source, question)
            self._quality.observe_sound(answer.excerpt.warnings)
            self._quality.observe_inversions(served.bundle.name, call.listener.name, answer.layers)
            response = inversion_messages.response(answer, question, call.listener, served.reference)
        response.seconds = time.monotonic() - began_s
        return response

    async def Auralise(  # noqa: N802 - the name of the RPC
        self,
        request: auralisation_pb2.AuraliseRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> auralisation_pb2.AuraliseResponse:
        """What features hear."""
        began_s = time.monotonic()
        question, source = auralisation_messages.question(request), _source(request.audio)
        with self._shelf.lend() as served:
            call = self._call(served, request, context)
            answer = await auralise(call, served.audible, source, question)
            self._quality.observe_sound(answer.excerpt.warnings)
            self._quality.observe_features(served.bundle.name, answer)
            return auralisation_messages.response(answer, question, served.reference, time.monotonic() - began_s)

    async def Maximise(  # noqa: N802 - the name of the RPC
        self,
        request: maximisation_pb2.MaximiseRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> AsyncGenerator[maximisation_pb2.MaximiseResponse]:
        """What a weighted sum of units wants to hear."""
        with self._shelf.lend() as served:
            call = self._call(served, request, context)
            call.listener.decision.check(request.label, request.contrast)
            known = served.maximiser if call.listener.can_be_maximised else None
            if known is None:
                whose = "" if call.listener is served.bundle.default else f" {call.listener.name}"
                raise NotInBundle(f"the bundle {served.bundle.name} has no generator to maximise{whose} with")
            question = maximisation_messages.question(request, known, call.listener.decision)
            yield maximisation_messages.settings(question, call.listener, request, served.reference)
            async with aclosing(maximise(call, known, question)) as events:
                async for event in events:
                    if isinstance(event, Example):
                        direction, steps = question.direction, question.settings.steps
                        self._quality.observe_example(served.bundle.name, direction, steps)
                    yield maximisation_messages.event(event, question, call.listener.front_end.sample_rate_hz)

    async def DescribeBundle(  # noqa: N802 - the name of the RPC
        self,
        request: bundle_pb2.DescribeBundleRequest,  # noqa: ARG002 - it has no fields
        context: Any,  # noqa: ANN401, ARG002 - grpc ships no types
    ) -> bundle_pb2.DescribeBundleResponse:
        """What is served."""
        with self._shelf.lend() as served:
            return bundle_messages.response(
                served.bundle, served.audible, can_maximise=served.maximiser is not None, reference=served.reference
            )

    def _observe_track(self, served: Served, asked: Listener, question: TrackQuestion, event: Event) -> None:
        match event:
            case Moment() if event.holds is not None:
                region, masking = _REGION_NAMES[type(question.region)], question.masking.name.lower()
                named = (served.bundle.name, asked.name, event.rule)
                self._quality.observe_explanation(*named, region, masking, event.trust)
            case Summary():
                self._quality.observe_sound(event.warnings)
                self._quality.track_seconds.inc(event.frames / asked.predictions_per_second)

    def _call(self, served: Served, request: Any, context: Any) -> Call:  # noqa: ANN401 - neither ships types
        asked = named(served.bundle.listeners, request.listener)
        return Call(
            served.engine, served.bundle, self._decoder, deadline(context), WORK.get(), asked, served.remembered
        )


def register(servicer: ExplainerServicer, server: Any) -> None:  # noqa: ANN401 - grpc ships no types
    """Puts a servicer on a `grpc.aio` server."""
    explainer_service_pb2_grpc.add_ExplainerServiceServicer_to_server(servicer, server)


_REGION_NAMES = {Alpha: "alpha", MaximumArea: "maximum_area", LargestAlphaThatKeepsLabel: "keep_label"}


def _source(audio: audio_pb2.Audio) -> AudioSource:
    if audio.WhichOneof("source") == "pcm":
        return PcmAudio(audio.pcm.samples, audio.pcm.sample_rate_hz, max(1, audio.pcm.channels))
    return EncodedAudio(audio.encoded)

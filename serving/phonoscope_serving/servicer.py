"""`phonoscope.v1.ExplainerService`: protobuf in, protobuf out, everything between in domain terms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import numpy as np
from phonoscope.v1 import (
    audio_pb2,
    auralisation_pb2,
    explainer_service_pb2,
    explainer_service_pb2_grpc,
    explanation_pb2,
    maximisation_pb2,
)

from phonoscope_serving import auralisation_messages, maximisation_messages
from phonoscope_serving.ascents import ascents
from phonoscope_serving.audible import audible_networks
from phonoscope_serving.audio import AudioSource, EncodedAudio, PcmAudio
from phonoscope_serving.auralise import auralise
from phonoscope_serving.bundle import Bundle
from phonoscope_serving.decoding import Decoder
from phonoscope_serving.engines.engine import Engine, Floats
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.explain import (
    DEFAULT_OUTSIDE_DB,
    Alpha,
    Explanation,
    LargestAlphaThatKeepsLabel,
    Masking,
    MaximumArea,
    Question,
    RegionChoice,
    explain,
)
from phonoscope_serving.invert import Inversion, InversionQuestion, Inversions, invert_layers
from phonoscope_serving.maximise import Example, maximise
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.predict import predict
from phonoscope_serving.trust import Trust
from phonoscope_serving.wire import time_frequency_map as _map
from phonoscope_serving.wire import waveform as _waveform

SERVICE_NAME: str = explainer_service_pb2.DESCRIPTOR.services_by_name["ExplainerService"].full_name


class ExplainerServicer(explainer_service_pb2_grpc.ExplainerServiceServicer):
    """Answers validated requests."""

    def __init__(self, engine: Engine, bundle: Bundle, decoder: Decoder, metrics: Metrics) -> None:
        self._engine, self._bundle, self._decoder, self._metrics = engine, bundle, decoder, metrics
        self._audible = audible_networks(bundle)
        self._ascents = ascents(bundle)
        self._reference = explanation_pb2.BundleReference(name=bundle.name, digest=bundle.digest)
        self._axes = explanation_pb2.TimeFrequencyAxes(
            frames_per_second=bundle.front_end.frames_per_second, band_centre_hz=bundle.front_end.band_centre_hz
        )

    async def Predict(  # noqa: N802 - the name of the RPC
        self,
        request: explainer_service_pb2.PredictRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> explainer_service_pb2.PredictResponse:
        """The probability of singing at every frame."""
        curve = await predict(self._engine, self._bundle, self._decoder, _source(request.audio), _deadline(context))
        return explainer_service_pb2.PredictResponse(
            bundle=self._reference,
            probability=curve.tolist(),
            frames_per_second=self._bundle.front_end.frames_per_second,
            threshold=self._bundle.threshold,
        )

    async def Explain(  # noqa: N802 - the name of the RPC
        self,
        request: explainer_service_pb2.ExplainRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> explainer_service_pb2.ExplainResponse:
        """Why the detector answered as it did."""
        masking = Masking.M2 if request.masking == explanation_pb2.MASKING_M2 else Masking.M1
        question = Question(
            request.at_s,
            request.rule,
            _region_choice(request.region),
            masking,
            request.listen,
            request.outside_db if request.HasField("outside_db") else DEFAULT_OUTSIDE_DB,
            request.detailed,
        )
        source = _source(request.audio)
        answer = await explain(self._engine, self._bundle, self._decoder, source, question, _deadline(context))
        self._metrics.observe_explanation(
            self._bundle.name, answer.rule, _REGION_NAMES[type(question.region)], masking.name.lower(), answer.trust
        )
        return self._explain_response(answer, question)

    async def InvertLayers(  # noqa: N802 - the name of the RPC
        self,
        request: explainer_service_pb2.InvertLayersRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> explainer_service_pb2.InvertLayersResponse:
        """What each layer keeps."""
        began_s = time.monotonic()
        question = InversionQuestion(request.at_s, tuple(request.layers), request.listen)
        source = _source(request.audio)
        answer = await invert_layers(self._engine, self._bundle, self._decoder, source, question, _deadline(context))
        self._metrics.observe_inversions(self._bundle.name, answer.layers)
        response = self._invert_layers_response(answer, question)
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
        answer = await auralise(self._engine, self._audible, self._decoder, source, question, _deadline(context))
        self._metrics.observe_features(self._bundle.name, answer)
        return auralisation_messages.response(answer, question, self._reference, time.monotonic() - began_s)

    async def Maximise(  # noqa: N802 - the name of the RPC
        self,
        request: maximisation_pb2.MaximiseRequest,
        context: Any,  # noqa: ANN401 - grpc ships no types
    ) -> AsyncGenerator[maximisation_pb2.MaximiseResponse]:
        """What a weighted sum of units wants to hear."""
        if self._ascents is None:
            raise NotInBundle(f"the bundle {self._bundle.name} has no generator to maximise with")
        question = maximisation_messages.question(request, self._ascents)
        yield maximisation_messages.settings(question, self._bundle, self._reference)
        async with aclosing(maximise(self._engine, self._ascents, question, _deadline(context))) as events:
            async for event in events:
                if isinstance(event, Example):
                    self._metrics.observe_example(self._bundle.name, question.direction, question.settings.steps)
                yield maximisation_messages.event(event, self._bundle.front_end.sample_rate_hz)

    async def DescribeBundle(  # noqa: N802 - the name of the RPC
        self,
        request: explainer_service_pb2.DescribeBundleRequest,  # noqa: ARG002 - it has no fields
        context: Any,  # noqa: ANN401, ARG002 - grpc ships no types
    ) -> explainer_service_pb2.DescribeBundleResponse:
        """What is served."""
        bundle, front_end = self._bundle, self._bundle.front_end
        return explainer_service_pb2.DescribeBundleResponse(
            bundle=self._reference,
            layers=[
                explainer_service_pb2.Layer(
                    name=layer.name, shape=layer.shape, invertible=layer.name in bundle.inversion_error_quantiles
                )
                for layer in bundle.layers
            ],
            sample_rate_hz=front_end.sample_rate_hz,
            hop_samples=front_end.hop_samples,
            frame_samples=front_end.frame_samples,
            excerpt_frames=front_end.excerpt_frames,
            band_centre_hz=front_end.band_centre_hz,
            threshold=bundle.threshold,
            rules=[
                explainer_service_pb2.ExplanationRule(name=rule.name, default_alpha=rule.default_alpha)
                for rule in bundle.rules
            ],
            metrics=dict(bundle.metrics),
            training_data=[
                explainer_service_pb2.TrainingData(name=data.name, licence=data.licence, digest=data.digest)
                for data in bundle.training_data
            ],
            command=bundle.command,
            audible=auralisation_messages.audible(self._audible.values()),
        )

    def _explain_response(self, answer: Explanation, question: Question) -> explainer_service_pb2.ExplainResponse:
        sample_rate_hz = self._bundle.front_end.sample_rate_hz
        return explainer_service_pb2.ExplainResponse(
            bundle=self._reference,
            at_s=answer.at_s,
            axes=self._axes_from(answer.start_s),
            log_mel=_map(answer.log_mel),
            relevance=_map(answer.relevance),
            region=_region(answer.mask),
            inverted=None if answer.inverted is None else _map(answer.inverted),
            explanation=None if answer.explanation is None else _map(answer.explanation),
            rule=answer.rule,
            outside_db=question.outside_db if question.listen else None,
            alpha=answer.alpha,
            masking=_MASKINGS[question.masking],
            threshold=self._bundle.threshold,
            trust=_trust(answer.trust),
            original_audio=_waveform(answer.original_audio, sample_rate_hz),
            explanation_audio=_waveform(answer.explanation_audio, sample_rate_hz),
        )

    def _invert_layers_response(
        self, answer: Inversions, question: InversionQuestion
    ) -> explainer_service_pb2.InvertLayersResponse:
        sample_rate_hz = self._bundle.front_end.sample_rate_hz
        return explainer_service_pb2.InvertLayersResponse(
            bundle=self._reference,
            at_s=answer.excerpt.at_s,
            axes=self._axes_from(answer.excerpt.start_s),
            log_mel=_map(answer.log_mel),
            standardised=_map(answer.standardised),
            probability=answer.probability,
            threshold=self._bundle.threshold,
            inversions=[_inversion(inversion, sample_rate_hz) for inversion in answer.layers],
            original_audio=_waveform(answer.excerpt.samples[0] if question.listen else None, sample_rate_hz),
            log_mel_audio=_waveform(answer.log_mel_audio, sample_rate_hz),
        )

    def _axes_from(self, start_s: float) -> explanation_pb2.TimeFrequencyAxes:
        axes = explanation_pb2.TimeFrequencyAxes(start_s=start_s)
        axes.MergeFrom(self._axes)
        return axes


def register(servicer: ExplainerServicer, server: Any) -> None:  # noqa: ANN401 - grpc ships no types
    """Puts a servicer on a `grpc.aio` server."""
    explainer_service_pb2_grpc.add_ExplainerServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated


_MASKINGS = {Masking.M1: explanation_pb2.MASKING_M1, Masking.M2: explanation_pb2.MASKING_M2}

_REGION_NAMES = {Alpha: "alpha", MaximumArea: "maximum_area", LargestAlphaThatKeepsLabel: "keep_label"}


def _deadline(context: Any) -> float | None:  # noqa: ANN401 - grpc ships no types
    """When the caller stops waiting, on the event loop's clock."""
    remaining_s = context.time_remaining()
    return None if remaining_s is None else asyncio.get_running_loop().time() + remaining_s


def _source(audio: audio_pb2.Audio) -> AudioSource:
    if audio.WhichOneof("source") == "pcm":
        return PcmAudio(audio.pcm.samples, audio.pcm.sample_rate_hz, max(1, audio.pcm.channels))
    return EncodedAudio(audio.encoded)


def _region_choice(region: explanation_pb2.RegionChoice) -> RegionChoice:
    match region.WhichOneof("choice"):
        case "alpha":
            return Alpha(region.alpha)
        case "maximum_area":
            return MaximumArea(region.maximum_area)
        case "largest_alpha_that_keeps_label":
            return LargestAlphaThatKeepsLabel()
    return Alpha(None)


def _region(mask: Floats) -> explanation_pb2.Region:
    frames, bands = mask.shape
    return explanation_pb2.Region(frames=frames, bands=bands, inside=mask.astype(np.uint8).tobytes())


def _inversion(inversion: Inversion, sample_rate_hz: int) -> explainer_service_pb2.LayerInversion:
    return explainer_service_pb2.LayerInversion(
        layer=inversion.layer,
        inverted=_map(inversion.inverted),
        reconstruction_error=inversion.reconstruction_error,
        reconstruction_percentile=inversion.reconstruction_percentile,
        out_of_distribution=inversion.out_of_distribution,
        audio=_waveform(inversion.audio, sample_rate_hz),
    )


def _trust(trust: Trust) -> explanation_pb2.Trust:
    label = explanation_pb2.LABEL_VOCAL if trust.vocal else explanation_pb2.LABEL_INSTRUMENTAL
    return explanation_pb2.Trust(
        predicted_label=label,
        probability=trust.probability,
        masked_probability=trust.masked_probability,
        label_kept=trust.label_kept,
        removed_probability=trust.removed_probability,
        removal_flips_label=trust.removal_flips_label,
        relative_area=trust.relative_area,
        control_probability=trust.control_probability,
        control_label_kept=trust.control_label_kept,
        reconstruction_error=trust.reconstruction_error,
        reconstruction_percentile=trust.reconstruction_percentile,
        out_of_distribution=trust.out_of_distribution,
        heard_probability=trust.heard_probability,
        heard_label_kept=trust.heard_label_kept,
    )

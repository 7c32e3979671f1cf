"""`Maximise` between the contract's messages and domain terms."""

from __future__ import annotations

from phonoscope.v1 import bundle_reference_pb2, maximisation_pb2

from phonoscope_serving.bundle.listeners.decision import Decision
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.rpcs.maximise.answer import Example, Progress
from phonoscope_serving.rpcs.maximise.question import MaximisationQuestion, ResponseTerm
from phonoscope_serving.rpcs.maximise.settings import DIRECTIONS, MaximisationSettings, Maximiser
from phonoscope_serving.rpcs.wire import axes, time_frequency_map, wants_half, waveform

OUTPUT = "logit"  # before the sigmoid, or the softmax
DEFAULT_EXAMPLES = 4


def question(request: maximisation_pb2.MaximiseRequest, known: Maximiser, decision: Decision) -> MaximisationQuestion:
    """What a validated request asks, its gaps filled with the bundle's own choices."""
    direction = DIRECTIONS[request.direction == maximisation_pb2.DIRECTION_MINIMISE]
    own = known.defaults[direction]
    return MaximisationQuestion(
        terms=tuple(_term(term) for term in request.terms) or _of_label(request, decision),
        position=(request.position.frame, request.position.band) if request.HasField("position") else None,
        direction=direction,
        examples=request.examples or DEFAULT_EXAMPLES,
        seed=request.seed,
        settings=MaximisationSettings(
            request.steps if request.HasField("steps") else own.steps,
            request.learning_rate if request.HasField("learning_rate") else own.learning_rate,
            request.prior_weight if request.HasField("prior_weight") else own.prior_weight,
        ),
        listen=request.listen,
        half_maps=wants_half(request),
    )


def settings(
    asked: MaximisationQuestion,
    listener: Listener,
    request: maximisation_pb2.MaximiseRequest,
    reference: bundle_reference_pb2.BundleReference,
) -> maximisation_pb2.MaximiseResponse:
    """The first event of an answer."""
    return maximisation_pb2.MaximiseResponse(
        settings=maximisation_pb2.MaximisationSettings(
            bundle=reference,
            axes=axes(listener.front_end),
            steps=asked.settings.steps,
            learning_rate=asked.settings.learning_rate,
            prior_weight=asked.settings.prior_weight,
            examples=asked.examples,
            threshold=listener.decision.thresholds[0] if listener.decision.kind == "binary" else 0.0,
            listener=listener.name,
            label="" if request.terms else request.label or listener.decision.labels[0],
            contrast="" if request.terms else request.contrast,
        )
    )


def event(
    happened: Progress | Example, asked: MaximisationQuestion, sample_rate_hz: int
) -> maximisation_pb2.MaximiseResponse:
    """A later event of the answer to `asked`."""
    if isinstance(happened, Progress):
        progress = maximisation_pb2.MaximisationProgress(
            step=[max(0, step) for step in happened.step], response=happened.response, prior=happened.prior
        )
        return maximisation_pb2.MaximiseResponse(progress=progress)
    initial, found = happened.initial, happened.found
    return maximisation_pb2.MaximiseResponse(
        example=maximisation_pb2.MaximisationExample(
            index=happened.index,
            initial_response=initial.response,
            response=found.response,
            initial_prior=initial.prior,
            prior=found.prior,
            initial_probability=initial.probability,
            probability=found.probability,
            initial_log_mel=time_frequency_map(initial.log_mel, half=asked.half_maps),
            log_mel=time_frequency_map(found.log_mel, half=asked.half_maps),
            initial_audio=waveform(initial.audio, sample_rate_hz),
            audio=waveform(found.audio, sample_rate_hz),
        )
    )


def _of_label(request: maximisation_pb2.MaximiseRequest, decision: Decision) -> tuple[ResponseTerm, ...]:
    """The output of a label; of two labels there is one, which speaks for the first."""
    number = decision.labels.index(request.label) if request.label else 0
    if decision.kind == "binary":
        return (ResponseTerm(OUTPUT, None, -1.0 if number else 1.0),)
    minus = (ResponseTerm(OUTPUT, decision.labels.index(request.contrast), -1.0),) if request.contrast else ()
    return (ResponseTerm(OUTPUT, number, 1.0), *minus)


def _term(term: maximisation_pb2.ResponseTerm) -> ResponseTerm:
    return ResponseTerm(
        layer=term.layer,
        channel=term.channel if term.HasField("channel") else None,
        weight=term.weight if term.HasField("weight") else 1.0,
    )

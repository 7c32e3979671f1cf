"""Why a listener answered as it did at one moment: composed of the bundle's models, nothing computed here.

A rule of the bundle gives every bin a relevance between 0 and 1. A region is chosen from it, and tried.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.listeners.reading import HEARD
from phonoscope_serving.bundle.rules import CONTROL_REGIONS, EVIDENCE, Rule
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.asked import rule_for, told
from phonoscope_serving.rpcs.explain.exchange import Evidence, Explained, evidence_of, exchange
from phonoscope_serving.rpcs.explain.nearest import Nearest, check_nearest, nearest
from phonoscope_serving.rpcs.explain.region import (
    LargestAlphaThatKeepsLabel,
    Masking,
    RegionChoice,
    largest_alpha,
    region_inputs,
)
from phonoscope_serving.rpcs.explain.trust import Trust, weigh
from phonoscope_serving.rpcs.label_answers import LabelAnswer, label_answers
from phonoscope_serving.sound.audio import AudioSource
from phonoscope_serving.sound.excerpt import Excerpt
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Array, Floats

DEFAULT_OUTSIDE_DB = 25.0  # far enough to hear what the region is, near enough for the detector to know such sound
MAPS = ("log_mel", "relevance", "mask")
DETAILED_MAPS = ("inverted", "explanation")
LARGEST_SEED = 2**31 - 1  # the graph counts in INT32


@dataclass(frozen=True)
class Question:
    """What is asked of one recording."""

    at_s: float  # the moment, in seconds from the recording's start
    rule: str  # of the bundle; empty for its default
    region: RegionChoice
    masking: Masking
    listen: bool = False  # also return sound
    outside_db: float = DEFAULT_OUTSIDE_DB  # attenuation in that sound of what lies outside the region
    detailed: bool = False  # also return `inverted` and `explanation`
    control_seed: int | None = None  # what controls and hosts are drawn from; None: derived from the excerpt
    evidence: Evidence | None = None  # what is tried; None: the most the bundle can
    label: str = ""  # of the listener; empty for the one predicted
    contrast: str = ""  # another, which it is explained against; empty for all others
    nearest: int = 0  # how many examples to name that the listener holds for most alike
    half_maps: bool = False  # return maps in two bytes a value


@dataclass(frozen=True)
class Explanation:
    """The answer; maps are `[T, M]` float32."""

    at_s: float  # start of the frame that was explained
    start_s: float  # start of the excerpt; negative where it begins before the recording
    rule: str
    claim: Claim  # what is explained
    predicted: str  # the label of the untouched excerpt
    labels: dict[str, LabelAnswer]  # what the listener says of each
    log_mel: Floats
    relevance: Floats  # in [0, 1]
    mask: Floats  # 1 inside the region, 0 outside
    alpha: float
    trust: Trust
    inverted: Floats | None  # standardised: what the deepest layer's features hold
    explanation: Floats | None  # standardised: what is inside the region
    original_audio: Floats | None  # `[N]` at the front-end's rate
    explanation_audio: Floats | None
    exchange_audio: Floats | None  # `[2, N]` the region's content in other music, and its silhouette there
    warnings: tuple[SoundWarning, ...]  # of the recording, as far as it was read
    nearest: tuple[Nearest, ...]  # examples, the nearest first


async def explain(call: Call, source: AudioSource, question: Question) -> Explanation:
    """Explains one moment of a recording.

    Args:
        call: what answers.
        source: the recording.
        question: the moment, the rule of the region, the masking.

    Raises:
        InvalidRequest: the listener has no such rule or label, or see `excerpt_around`.
        NotInBundle: the bundle lacks other music for evidence by exchange, what makes a region sound, or a rule that
            explains the label.
        RequestError: see `Call.excerpt` and `Engine.infer`.
    """
    listener = call.listener
    rule = rule_for(listener, question.rule, question.label, question.contrast, listen=question.listen)
    evidence = evidence_of(listener, question.evidence)
    check_nearest(listener, question.nearest)
    excerpt = await call.excerpt(source, listener.front_end, question.at_s)
    seed = _derived_seed(excerpt) if question.control_seed is None else question.control_seed
    inputs = region_inputs(question.region, question.masking, rule.default_alpha)
    inputs["control_seed"] = np.array([[seed]], np.int32)
    measured = Trust.measured(listener, rule, evidence)
    detailed = [name for name in DETAILED_MAPS if rule.inverts or name != "inverted"] if question.detailed else []
    outputs = [*MAPS, "effective_alpha", *measured, *detailed]
    if question.listen or evidence is Evidence.FULL:
        outputs.append(CONTROL_REGIONS)
    asked = {"samples": excerpt.samples} | told(listener, rule, question.label, question.contrast)
    if isinstance(question.region, LargestAlphaThatKeepsLabel):
        answer, claim = await _with_largest_alpha(call, rule, asked, inputs, outputs, question)
    else:
        answer = await call.infer(rule.ensemble, asked | inputs, outputs=outputs)
        claim = _claim(listener, rule, question, answer)
    explained = Explained(claim, seed, excerpt.samples, answer["log_mel"], answer["mask"], answer.get(CONTROL_REGIONS))
    exchanged = await exchange(call, explained, evidence, question.listen)
    heard = await _listen(call, excerpt, answer, question.outside_db) if question.listen else {}
    numbers = {name: answer[name][0] for name in measured}
    trust = weigh(numbers, listener, claim, rule, seed, heard.get("heard_probability"), evidence, exchanged)
    alike = await nearest(call, excerpt.samples, question.nearest)
    return _explanation(rule, excerpt, answer | heard, claim, trust, alike)


def _claim(listener: Listener, rule: Rule, question: Question, answer: Mapping[str, Array]) -> Claim:
    """What is explained.

    Raises:
        NotInBundle: the rule explains the label that is predicted, and another is asked for.
    """
    decision, probability = listener.decision, answer["probability"][0]
    claim = decision.claim(question.label, question.contrast, probability)
    if not rule.takes_label and claim.label != (predicted := decision.predicted(probability)):
        others = [each.name for each in listener.rules if each.takes_label]
        raise NotInBundle(
            f"{rule.name} explains the label that {listener.name} predicts, here {decision.labels[predicted]}, "
            f"and no other; {', '.join(others) or 'no rule of the bundle'} explains any label"
        )
    return claim


async def _with_largest_alpha(
    call: Call, rule: Rule, asked: dict[str, Array], inputs: dict[str, Array], outputs: list[str], question: Question
) -> tuple[dict[str, Array], Claim]:
    """The rule once, alphas tried on its relevance, and the evidence for the one that was found."""
    evidence = [name for name in outputs if name in rule.evidence]
    first = await call.infer(
        rule.ensemble,
        asked | inputs,
        outputs=list(dict.fromkeys(name for name in (*outputs, *rule.known) if name not in rule.evidence)),
    )
    claim = _claim(call.listener, rule, question, first)
    known = {name: first[name] for name in rule.known}
    inputs["alpha"] = await largest_alpha(call, claim, known, inputs)
    model = call.listener.model(EVIDENCE)
    return first | await call.infer(model, known | inputs, outputs=evidence, continues=True), claim


def _derived_seed(excerpt: Excerpt) -> int:
    """The same for the same samples, so that the same question has the same answer."""
    return zlib.crc32(excerpt.samples.tobytes()) & LARGEST_SEED


async def _listen(call: Call, excerpt: Excerpt, answer: Mapping[str, Array], outside_db: float) -> dict[str, Array]:
    """The region as sound, then the random regions, a row each, and what the detector makes of each sound.

    The sound of no region is the whole excerpt, played more quietly: the detector is not asked, for that is evidence of
    nothing.
    """
    regions, outputs = answer["mask"], ["audio"]
    if regions.any():
        regions = np.concatenate([regions, answer[CONTROL_REGIONS][0]])
        outputs.append("heard_probability")
    rows = len(regions)
    inputs = {
        "samples": np.repeat(excerpt.samples, rows, axis=0),
        "mask": regions,
        "outside_gain": np.full((rows, 1), 10 ** (-outside_db / 20), np.float32),
    }
    return await call.infer(call.listener.model(HEARD), inputs, outputs=outputs, continues=True)


def _explanation(
    rule: Rule,
    excerpt: Excerpt,
    answer: Mapping[str, Array],
    claim: Claim,
    trust: Trust,
    alike: tuple[Nearest, ...],
) -> Explanation:
    decision, probability = claim.decision, answer["probability"][0]
    return Explanation(
        at_s=excerpt.at_s,
        start_s=excerpt.start_s,
        rule=rule.name,
        claim=claim,
        predicted=decision.labels[decision.predicted(probability)],
        labels=label_answers(decision, probability),
        log_mel=answer["log_mel"][0],
        relevance=answer["relevance"][0],
        mask=answer["mask"][0],
        alpha=float(answer["effective_alpha"][0, 0]),
        trust=trust,
        inverted=answer["inverted"][0] if "inverted" in answer else None,
        explanation=answer["explanation"][0] if "explanation" in answer else None,
        original_audio=excerpt.samples[0] if "audio" in answer else None,
        explanation_audio=answer["audio"][0] if "audio" in answer else None,
        exchange_audio=trust.exchange.audio if trust.exchange else None,
        warnings=excerpt.warnings,
        nearest=alike,
    )

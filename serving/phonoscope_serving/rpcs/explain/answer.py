"""Why the detector answered as it did at one moment: composed of the bundle's models, nothing computed here.

A rule of the bundle gives every bin a relevance between 0 and 1. A region is chosen from it, and tried.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.rules import CONTROL_REGIONS, Rule
from phonoscope_serving.errors import InvalidRequest, shown
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange, Explained, evidence_of, exchange
from phonoscope_serving.rpcs.explain.region import (
    KNOWN,
    LargestAlphaThatKeepsLabel,
    Masking,
    RegionChoice,
    largest_alpha,
    region_inputs,
)
from phonoscope_serving.rpcs.explain.trust import Trust, weigh
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


@dataclass(frozen=True)
class Explanation:
    """The answer; maps are `[T, M]` float32."""

    at_s: float  # start of the frame that was explained
    start_s: float  # start of the excerpt; negative where it begins before the recording
    rule: str
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


async def explain(call: Call, source: AudioSource, question: Question) -> Explanation:
    """Explains one moment of a recording.

    Args:
        call: what answers.
        source: the recording.
        question: the moment, the rule of the region, the masking.

    Raises:
        InvalidRequest: the bundle has no such rule, or see `excerpt_around`.
        NotInBundle: evidence by exchange was asked for, and the bundle has no other music.
        RequestError: see `Call.excerpt` and `Engine.infer`.
    """
    rule, evidence = rule_of(call.bundle, question.rule), evidence_of(call.bundle, question.evidence)
    excerpt = await call.excerpt(source, call.bundle.front_end, question.at_s)
    seed = _derived_seed(excerpt) if question.control_seed is None else question.control_seed
    inputs = region_inputs(question.region, question.masking, rule.default_alpha)
    inputs["control_seed"] = np.array([[seed]], np.int32)
    measured = Trust.measured(call.bundle, rule, evidence)
    outputs = [*MAPS, "effective_alpha", *measured, *(DETAILED_MAPS if question.detailed else ())]
    if question.listen or evidence is Evidence.FULL:
        outputs.append(CONTROL_REGIONS)
    if isinstance(question.region, LargestAlphaThatKeepsLabel):
        answer = await _with_largest_alpha(call, rule, excerpt, inputs, outputs)
    else:
        answer = await call.infer(rule.ensemble, {"samples": excerpt.samples} | inputs, outputs=outputs)
    exchanged = await _exchange(call, excerpt, answer, seed, evidence, question.listen)
    heard = await _listen(call, excerpt, answer, question.outside_db) if question.listen else {}
    numbers = {name: float(answer[name][0, 0]) for name in measured}
    trust = weigh(numbers, call.bundle, rule, seed, _heard(heard), evidence, exchanged)
    return _explanation(rule, excerpt, answer | heard, trust)


async def _exchange(
    call: Call, excerpt: Excerpt, answer: Mapping[str, Array], seed: int, evidence: Evidence, listen: bool
) -> Exchange | None:
    """What becomes of the answer in other music; None where the bundle has none, or it was not asked for."""
    bank = call.bundle.exchange
    if bank is None or evidence is Evidence.MEAN_FILL:
        return None
    vocal = call.bundle.is_vocal(float(answer["probability"][0, 0]))
    explained = Explained(vocal, seed, excerpt.samples, answer["log_mel"], answer["mask"], answer.get(CONTROL_REGIONS))
    return await exchange(call, bank, explained, evidence, listen)


async def _with_largest_alpha(
    call: Call, rule: Rule, excerpt: Excerpt, inputs: dict[str, Array], outputs: list[str]
) -> dict[str, Array]:
    """The rule once, alphas tried on its relevance, and the evidence for the one that was found."""
    evidence = [name for name in outputs if name in rule.evidence]
    first = await call.infer(
        rule.ensemble,
        {"samples": excerpt.samples} | inputs,
        outputs=list(dict.fromkeys(name for name in (*outputs, *KNOWN) if name not in rule.evidence)),
    )
    inputs["alpha"] = await largest_alpha(call, first, inputs)
    known = {name: first[name] for name in KNOWN}
    return first | await call.infer("evidence", known | inputs, outputs=evidence, continues=True)


def _derived_seed(excerpt: Excerpt) -> int:
    """The same for the same samples, so that the same question has the same answer."""
    return zlib.crc32(excerpt.samples.tobytes()) & LARGEST_SEED


def rule_of(bundle: Bundle, name: str) -> Rule:
    """The rule of that name; the bundle's default where it is empty.

    Raises:
        InvalidRequest: the bundle has no such rule.
    """
    if not name:
        return bundle.rules[0]
    for rule in bundle.rules:
        if rule.name == name:
            return rule
    known = ", ".join(rule.name for rule in bundle.rules)
    raise InvalidRequest.at("rule", f"is {shown(name)}; the bundle explains by {known}")


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
    return await call.infer("heard", inputs, outputs=outputs, continues=True)


def _heard(heard: Mapping[str, Array]) -> list[float]:
    """Probabilities of the explanation as it sounds and of each random region; empty where nobody listened."""
    return [float(each) for each in heard["heard_probability"][:, 0]] if "heard_probability" in heard else []


def _explanation(rule: Rule, excerpt: Excerpt, answer: Mapping[str, Array], trust: Trust) -> Explanation:
    return Explanation(
        at_s=excerpt.at_s,
        start_s=excerpt.start_s,
        rule=rule.name,
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
    )

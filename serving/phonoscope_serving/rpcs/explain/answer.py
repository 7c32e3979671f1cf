"""Why the detector answered as it did at one moment: composed of the bundle's models, nothing computed here.

A rule of the bundle gives every bin a relevance between 0 and 1. The region is chosen from it as EUSIPCO 2018, section
II.B, has it: keep what has alpha or more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import InvalidRequest, shown
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.trust import Trust, weigh
from phonoscope_serving.sound.audio import AudioSource
from phonoscope_serving.sound.excerpt import Excerpt
from phonoscope_serving.tensors import Array, Floats

ALPHA_GRID = np.linspace(0.0, 1.0, 21, dtype=np.float32)  # 0, .05 … 1
NO_AREA_LIMIT = 1.0
DEFAULT_OUTSIDE_DB = 25.0  # far enough to hear what the region is, near enough for the detector to know such sound
MAPS = ("log_mel", "relevance", "mask")
DETAILED_MAPS = ("inverted", "explanation")


class Masking(IntEnum):
    """What a masked bin becomes; the numbers are those of the `mask` graph."""

    M1 = 1  # the band's mean
    M2 = 2  # log-mel 0


@dataclass(frozen=True)
class Alpha:
    """Keep bins whose relevance is at least this, in [0, 1]; None for the rule's own."""

    value: float | None


@dataclass(frozen=True)
class LargestAlphaThatKeepsLabel:
    """The largest alpha of `ALPHA_GRID` with which the detector keeps its label."""


@dataclass(frozen=True)
class MaximumArea:
    """The smallest alpha whose region covers at most this share of the excerpt, in (0, 1]."""

    share: float


RegionChoice = Alpha | LargestAlphaThatKeepsLabel | MaximumArea


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


async def explain(call: Call, source: AudioSource, question: Question) -> Explanation:
    """Explains one moment of a recording.

    Args:
        call: what answers.
        source: the recording.
        question: the moment, the rule of the region, the masking.

    Raises:
        InvalidRequest: the bundle has no such rule, or see `excerpt_around`.
        RequestError: see `Call.excerpt` and `Engine.infer`.
    """
    rule = _rule(call.bundle, question.rule)
    excerpt = await call.excerpt(source, call.bundle.front_end, question.at_s)
    inputs = {"samples": excerpt.samples, **_region(question, rule)}
    outputs = [*MAPS, "effective_alpha", *Trust.MEASURED, *(DETAILED_MAPS if question.detailed else ())]
    if isinstance(question.region, LargestAlphaThatKeepsLabel):
        sweep = ["log_mel", "standardised", "relevance", "probability"]
        first = await call.infer(rule.ensemble, inputs, outputs=sweep)
        inputs["alpha"] = await _largest_alpha(call, first, question.masking)
    continues = isinstance(question.region, LargestAlphaThatKeepsLabel)
    answer = await call.infer(rule.ensemble, inputs, outputs=outputs, continues=continues)
    heard = await _listen(call, excerpt, answer, question.outside_db) if question.listen else {}
    return _explanation(call.bundle, rule, excerpt, answer | heard)


def _rule(bundle: Bundle, name: str) -> Rule:
    """The rule of that name; the bundle's default where it is empty."""
    if not name:
        return bundle.rules[0]
    for rule in bundle.rules:
        if rule.name == name:
            return rule
    known = ", ".join(rule.name for rule in bundle.rules)
    raise InvalidRequest.at("rule", f"is {shown(name)}; the bundle explains by {known}")


def _region(question: Question, rule: Rule) -> dict[str, Array]:
    """The inputs that say how the region is chosen."""
    alpha, area = rule.default_alpha, NO_AREA_LIMIT
    match question.region:
        case Alpha(float(value)):
            alpha = value
        case MaximumArea(share):
            alpha, area = 0.0, share
    return {
        "alpha": np.array([[alpha]], np.float32),
        "maximum_area": np.array([[area]], np.float32),
        "masking": np.array([[question.masking]], np.int32),
    }


async def _largest_alpha(call: Call, answer: Mapping[str, Array], masking: Masking) -> Floats:
    """The largest alpha of the grid that keeps the label, `[1, 1]`; 0, which keeps everything, if none does."""
    rows = len(ALPHA_GRID)
    sweep: dict[str, Array] = {
        name: np.repeat(answer[name], rows, axis=0) for name in ("log_mel", "standardised", "relevance")
    }
    sweep["alpha"] = ALPHA_GRID[:, None]
    sweep["maximum_area"] = np.full((rows, 1), NO_AREA_LIMIT, np.float32)
    sweep["masking"] = np.full((rows, 1), masking, np.int32)
    tried = await call.infer("masked", sweep, continues=True)
    vocal = call.bundle.is_vocal(float(answer["probability"][0, 0]))
    keeps = call.bundle.is_vocal(tried["masked_probability"][:, 0]) == vocal
    return np.array([[ALPHA_GRID[keeps].max(initial=0.0)]], np.float32)


async def _listen(call: Call, excerpt: Excerpt, answer: Mapping[str, Array], outside_db: float) -> dict[str, Array]:
    """The region as sound, and what the detector makes of that sound."""
    gain = np.array([[10 ** (-outside_db / 20)]], np.float32)
    inputs = {"samples": excerpt.samples, "mask": answer["mask"], "outside_gain": gain}
    return await call.infer("heard", inputs, continues=True)


def _explanation(bundle: Bundle, rule: Rule, excerpt: Excerpt, answer: Mapping[str, Array]) -> Explanation:
    measured = {name: float(answer[name][0, 0]) for name in Trust.MEASURED}
    heard = float(answer["heard_probability"][0, 0]) if "audio" in answer else None
    return Explanation(
        at_s=excerpt.at_s,
        start_s=excerpt.start_s,
        rule=rule.name,
        log_mel=answer["log_mel"][0],
        relevance=answer["relevance"][0],
        mask=answer["mask"][0],
        alpha=float(answer["effective_alpha"][0, 0]),
        trust=weigh(measured, bundle, heard_probability=heard),
        inverted=answer["inverted"][0] if "inverted" in answer else None,
        explanation=answer["explanation"][0] if "explanation" in answer else None,
        original_audio=excerpt.samples[0] if "audio" in answer else None,
        explanation_audio=answer["audio"][0] if "audio" in answer else None,
    )

"""Why the detector answered as it did at one moment: composed of the bundle's models, nothing computed here.

The region is chosen as EUSIPCO 2018, section II.B, has it: keep what the min-max normalised inversion has at alpha or
above.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from phonoscope_serving.audio import AudioSource
from phonoscope_serving.bundle import Bundle
from phonoscope_serving.decoding import Decoder
from phonoscope_serving.engines.engine import Array, Engine, Floats
from phonoscope_serving.excerpt import Excerpt, read_excerpt
from phonoscope_serving.trust import Trust, weigh

ALPHA_GRID = np.linspace(0.0, 1.0, 21, dtype=np.float32)  # 0, .05 … 1
NO_AREA_LIMIT = 1.0


class Masking(IntEnum):
    """What a masked bin becomes; the numbers are those of the `mask` graph."""

    M1 = 1  # the band's mean
    M2 = 2  # log-mel 0


@dataclass(frozen=True)
class Alpha:
    """Keep bins whose normalised inversion is at least this, in [0, 1]."""

    value: float


@dataclass(frozen=True)
class LargestAlphaThatKeepsLabel:
    """The largest alpha of `ALPHA_GRID` with which the detector keeps its label."""


@dataclass(frozen=True)
class MaximumArea:
    """The smallest alpha whose region covers at most this share of the excerpt, in (0, 1]."""

    share: float


RegionRule = Alpha | LargestAlphaThatKeepsLabel | MaximumArea


@dataclass(frozen=True)
class Question:
    """What is asked of one recording."""

    at_s: float  # the moment, in seconds from the recording's start
    rule: RegionRule
    masking: Masking
    listen: bool  # also return sound


@dataclass(frozen=True)
class Explanation:
    """The answer; maps are `[T, M]` float32."""

    at_s: float  # start of the frame that was explained
    start_s: float  # start of the excerpt; negative where it begins before the recording
    log_mel: Floats
    inverted: Floats
    mask: Floats
    explanation: Floats
    alpha: float
    trust: Trust
    original_audio: Floats | None  # `[N]` at the front-end's rate
    explanation_audio: Floats | None


async def explain(
    engine: Engine,
    bundle: Bundle,
    decoder: Decoder,
    source: AudioSource,
    question: Question,
    deadline: float | None,
) -> Explanation:
    """Explains one moment of a recording.

    Args:
        engine: what runs the graphs.
        bundle: the bundle it runs.
        decoder: what reads the recording.
        source: the recording.
        question: the moment, the rule of the region, the masking.
        deadline: on the event loop's clock, in seconds.

    Raises:
        RequestError: see `read_excerpt` and `Engine.infer`.
    """
    excerpt = await read_excerpt(decoder, source, bundle.front_end, question.at_s, deadline)
    rule = question.rule
    alpha = rule.value if isinstance(rule, Alpha) else 0.0 if isinstance(rule, MaximumArea) else bundle.default_alpha
    inputs = {
        "samples": excerpt.samples,
        "alpha": np.array([[alpha]], np.float32),
        "maximum_area": np.array([[rule.share if isinstance(rule, MaximumArea) else NO_AREA_LIMIT]], np.float32),
        "masking": np.array([[question.masking]], np.int32),
    }
    answer = await engine.infer("explain", inputs, deadline=deadline)
    if isinstance(rule, LargestAlphaThatKeepsLabel):
        inputs["alpha"] = await _largest_alpha(engine, bundle, answer, question.masking, deadline)
        answer = await engine.infer("explain", inputs, deadline=deadline, begun=True)
    heard = await _listen(engine, excerpt, answer, deadline) if question.listen else None
    return _explanation(bundle, excerpt, answer, heard)


async def _largest_alpha(
    engine: Engine, bundle: Bundle, answer: dict[str, Array], masking: Masking, deadline: float | None
) -> Floats:
    """The largest alpha of the grid that keeps the label, `[1, 1]`; 0, which keeps everything, if none does."""
    rows = len(ALPHA_GRID)
    sweep: dict[str, Array] = {
        name: np.repeat(answer[name], rows, axis=0) for name in ("log_mel", "standardised", "inverted")
    }
    sweep["alpha"] = ALPHA_GRID[:, None]
    sweep["maximum_area"] = np.full((rows, 1), NO_AREA_LIMIT, np.float32)
    sweep["masking"] = np.full((rows, 1), masking, np.int32)
    tried = await engine.infer("masked", sweep, deadline=deadline, begun=True)
    vocal = answer["probability"][0, 0] >= bundle.threshold
    keeps = (tried["masked_probability"][:, 0] >= bundle.threshold) == vocal
    return np.array([[ALPHA_GRID[keeps].max(initial=0.0)]], np.float32)


async def _listen(engine: Engine, excerpt: Excerpt, answer: dict[str, Array], deadline: float | None) -> Floats:
    inputs = {"samples": excerpt.samples, "mask": answer["mask"], "outside_gain": np.zeros((1, 1), np.float32)}
    outputs = await engine.infer("listen", inputs, deadline=deadline, begun=True)
    audio: Floats = outputs["audio"][0]
    return audio


def _explanation(bundle: Bundle, excerpt: Excerpt, answer: dict[str, Array], heard: Floats | None) -> Explanation:
    return Explanation(
        at_s=excerpt.at_s,
        start_s=excerpt.start_s,
        log_mel=answer["log_mel"][0],
        inverted=answer["inverted"][0],
        mask=answer["mask"][0],
        explanation=answer["explanation"][0],
        alpha=float(answer["effective_alpha"][0, 0]),
        trust=weigh({name: float(answer[name][0, 0]) for name in Trust.MEASURED}, bundle),
        original_audio=None if heard is None else excerpt.samples[0],
        explanation_audio=heard,
    )

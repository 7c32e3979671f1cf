"""`Client.explain`."""

from __future__ import annotations

from functools import partial
from typing import Literal

from phonoscope_client import arguments
from phonoscope_client.messages import explanation as explanation_messages
from phonoscope_client.messages.listener import Choice
from phonoscope_client.questions.question import Question
from phonoscope_client.results.explanation import Evidence, Explanation, Masking
from phonoscope_client.results.parts import MapPrecision
from phonoscope_client.transport import audio as sound
from phonoscope_client.transport.audio import AudioInput


def explain(
    audio: AudioInput,
    at_s: float,
    *,
    rule: str | None = None,
    alpha: float | Literal["keep-label"] | None = None,
    maximum_area: float | None = None,
    masking: Masking = "m1",
    listen: bool = True,
    outside_db: float | None = None,
    detailed: bool = False,
    control_seed: int | None = None,
    evidence: Evidence | None = None,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
    nearest: int = 0,
    map_precision: MapPrecision = "float32",
) -> Question[Explanation]:
    """Why a listener answered as it did at one moment of a recording.

    Args:
        audio: as for `predict`, but of any length: of a longer one, what surrounds `at_s` is sent.
        at_s: the moment, in seconds from the start.
        rule: what says how relevant each bin is: one of those `describe` lists, such as "masker", "gradient" or
            "inversion"; None for the bundle's default.
        alpha: bins whose relevance is at least this, in [0, 1], form the region; "keep-label" for the largest
            that keeps the label; None for the rule's own.
        maximum_area: instead of alpha, the largest share of the excerpt the region may cover, in (0, 1].
        masking: what a masked bin becomes: "m1" its band's mean, "m2" a raw log-mel of zero.
        listen: whether to return the excerpt and its explanation as sound as well, and try that sound out.
        outside_db: decibels, 0 to 120, by which what lies outside the region is attenuated in that sound; None for
            the service's own.
        detailed: whether to return `inverted` and `explanation` as well.
        control_seed: what other music and regions are drawn from, below 2³¹; None for one of the excerpt's own.
        evidence: "full", by exchange with other music; "kept", of that only region and silhouette, in less time;
            "mean-fill", no exchange; None for the most that the bundle can.
        listener: who is asked, by name, as `describe` lists them; None for the bundle's first.
        label: the label to explain; None for the one predicted, which is all that some rules explain.
        contrast: explain the label rather than this one; None for rather than any other.
        nearest: how many excerpts of the bundle's own music to name that the listener holds for most alike.
        map_precision: in which maps travel: "float16" halves their bytes and rounds them to three digits.

    Raises:
        NotInBundleError: the bundle lacks other music for evidence by exchange, sound, examples, or a rule for the
            label.
        OutOfRangeError: `at_s` lies outside the recording.
    """
    at_s = arguments.moment(at_s)
    section = sound.around(audio, at_s)
    request = explanation_messages.request(
        section.message,
        at_s - section.start_s,
        rule,
        alpha,
        maximum_area,
        masking,
        listen,
        outside_db,
        detailed,
        control_seed,
        evidence,
        Choice(listener, label, contrast),
        nearest,
        map_precision,
    )
    return Question("Explain", request, partial(explanation_messages.explanation, section=section))

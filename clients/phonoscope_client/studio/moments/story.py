"""A story: what somebody found, to pass on, as one page that needs nothing but itself, and as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope_client.aio import Client
from phonoscope_client.arguments import text as checked_text
from phonoscope_client.results.verdict.verdict import verdict
from phonoscope_client.studio.moments.growth import Grown, grown_sound
from phonoscope_client.studio.moments.pictures import text
from phonoscope_client.studio.moments.why import KINDS, Why, sound
from phonoscope_client.studio.web.bodies import Question

MOST_MOMENTS = 50
MOST_UNITS = 50
_MOST_LETTERS = 20_000


@dataclass(frozen=True)
class Story:
    """What is passed on: a page, and everything but its pictures and sounds as JSON."""

    html: str
    json: str


def words(question: Question, name: str, default: str = "") -> str:
    """Plain text that the page sent, as much of it as a story has room for.

    Raises:
        InvalidInputError: it is no text.
    """
    given = question.given(name)
    return default if given in (None, "") else checked_text(name, given, "text")[:_MOST_LETTERS]


async def story(
    client: Client, title: str, notes: str, moments: Sequence[tuple[Why, str]], units: Sequence[tuple[Grown, str]]
) -> Story:
    """Makes a story; sounds that were not wanted before are made now.

    Args:
        client: makes them.
        title: what its finder calls it.
        notes: what its finder says of it.
        moments: explanations, and what is said of each.
        units: and what they are called.

    Raises:
        PhonoscopeError: the service does not make a sound.
        MissingExtraError: the extra `report` is not installed.
    """
    for why, _ in moments:
        await sound(client, why, KINDS[0])
    sounds = [await grown_sound(client, grown) for grown, _ in units]
    html = await asyncio.to_thread(_html, title, notes, moments, units, sounds)
    data = {
        "title": title,
        "notes": notes,
        "moments": [_moment_json(why, note) for why, note in moments],
        "units": [{"name": name, **grown.found.to_json()} for grown, name in units],
    }
    return Story(html, json.dumps(data, indent=1, ensure_ascii=False))


def _html(
    title: str,
    notes: str,
    moments: Sequence[tuple[Why, str]],
    units: Sequence[tuple[Grown, str]],
    sounds: Sequence[bytes | None],
) -> str:
    from phonoscope_client.reports.story import (  # noqa: PLC0415 - Matplotlib loads slowly
        FoundMoment,
        FoundUnit,
        story_page,
    )

    return story_page(
        title,
        notes,
        [FoundMoment(why.song.name, why.explanation, note, why.sounds) for why, note in moments],
        [FoundUnit(name, grown.found, made) for (grown, name), made in zip(units, sounds, strict=True)],
    )


def _moment_json(why: Why, note: str) -> dict[str, Any]:
    explanation = why.explanation
    judged = verdict(explanation)
    frames, bands = explanation.mask.shape
    return {
        "song": why.song.name,
        "note": note,
        "passage_s": why.passage and why.passage.span,
        **explanation.to_json(),
        "headline": judged.headline,
        "findings": [{"bearing": each.bearing, "text": each.text} for each in judged.findings],
        "region": {
            "start_s": explanation.axes.start_s,
            "frames_per_second": explanation.axes.frames_per_second,
            "band_centre_hz": [round(float(each), 3) for each in explanation.axes.band_centre_hz],
            "frames": frames,
            "bands": bands,
            "bits": text(np.packbits(explanation.mask)),
        },
    }

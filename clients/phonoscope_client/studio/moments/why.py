"""Why here: what is asked about a moment or a passage, and what the page is told of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from phonoscope_client.aio import Client
from phonoscope_client.errors import NotInBundleError, invalid
from phonoscope_client.results.bundle import Bundle, Listener
from phonoscope_client.results.explanation import Evidence, Explanation
from phonoscope_client.results.parts import VOCAL, Waveform, removed_sound, wav
from phonoscope_client.results.verdict.trials import trials
from phonoscope_client.results.verdict.verdict import verdict
from phonoscope_client.results.wording import clock_exact, spoken_of
from phonoscope_client.studio.moments.pictures import Grid, log_mel_picture, on_grid, text
from phonoscope_client.studio.shelf.songs import Song
from phonoscope_client.studio.web.bodies import Question

_EVIDENCE: Mapping[str, Evidence | None] = {"full": "full", "kept": "kept", "mean-fill": "mean-fill"}
NEAREST = 3  # examples that are named
KINDS = ("original", "region", "removed", "carried", "silhouette")


@dataclass(frozen=True)
class Moment:
    """What is asked: of whom, where, about which label, by which rule."""

    at_s: float
    listener: Listener
    label: str | None = None
    contrast: str | None = None
    rule: str | None = None
    alpha: float | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Passage:
    """A passage that is asked about, and in words which moment of it is explained."""

    start_s: float
    end_s: float
    chosen: str

    @property
    def span(self) -> tuple[float, float]:
        """Where it begins and ends."""
        return self.start_s, self.end_s


@dataclass
class Why:
    """An answer that is kept, with its sounds once somebody wanted to hear them."""

    song: Song
    asked: Moment
    explanation: Explanation
    passage: Passage | None
    sounds: dict[str, bytes] = field(default_factory=dict)
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


def moment(question: Question, song: Song, bundle: Bundle) -> tuple[Moment, Passage | None]:
    """What the page asks, and the passage that it asks about, where it is one.

    Raises:
        InvalidInputError: a field is missing or of no use.
    """
    listener, label = chosen(question, bundle), question.text("label")
    passage = None
    if question.has("start_s"):
        start_s, end_s = (question.number(name, "seconds from the song's start") for name in ("start_s", "end_s"))
        span = (max(0.0, min(start_s, end_s)), min(song.duration_s, max(start_s, end_s)))
        at_s, words = _surest(song, span, listener.name, label)
        passage = Passage(*span, words)
    else:
        at_s = question.number("at_s", "seconds from the song's start, such as 34.5")
    evidence = question.text("trust")
    if evidence is not None and evidence not in _EVIDENCE:
        raise invalid("trust", f"{evidence!r}; give {' or '.join(_EVIDENCE)}")
    alpha = question.number("alpha", "a number from 0 to 1") if question.has("alpha") else None
    asked = Moment(
        max(0.0, at_s),
        listener,
        label,
        question.text("contrast"),
        question.text("rule"),
        alpha,
        _EVIDENCE[evidence] if evidence else None,
    )
    return asked, passage


def chosen(question: Question, bundle: Bundle) -> Listener:
    """The listener that is asked; the bundle's first where none is named.

    Raises:
        InvalidInputError: there is none of that name.
    """
    name = question.text("listener") or bundle.listeners[0].name
    for listener in bundle.listeners:
        if listener.name == name:
            return listener
    raise invalid("listener", f"there is no {name!r}; choose {' or '.join(each.name for each in bundle.listeners)}")


def excerpt_s(listener: Listener) -> float:
    """Seconds that a listener hears around a moment."""
    return listener.excerpt_frames * listener.hop_samples / listener.sample_rate_hz


async def ask(client: Client, song: Song, asked: Moment, *, listen: bool = False, nearest: int = 0) -> Explanation:
    """Asks the service, which is sent no more of the song than it needs; times are the song's.

    Raises:
        PhonoscopeError: it does not answer, or refuses.
    """
    audio, start_s = song.sound.around(asked.at_s, excerpt_s(asked.listener))  # a read of a megabyte: no thread
    explanation = await client.explain(
        audio,
        asked.at_s - start_s,
        rule=asked.rule,
        alpha=asked.alpha,
        listen=listen,
        nearest=nearest,
        evidence=asked.evidence,
        listener=asked.listener.name,
        label=asked.label,
        contrast=asked.contrast,
    )
    axes = replace(explanation.axes, start_s=explanation.axes.start_s + start_s)
    warnings = tuple(
        replace(each, start_s=each.start_s + start_s, end_s=each.end_s + start_s) for each in explanation.warnings
    )
    return replace(explanation, at_s=explanation.at_s + start_s, axes=axes, warnings=warnings)


def _surest(song: Song, span: tuple[float, float], listener: str, label: str | None) -> tuple[float, str]:
    """Of a passage, the moment the listener is surest of, as far as that is known, else its middle; also in words."""
    start_s, end_s = span
    probability, rate = song.curves.known(listener, label)
    last = int(end_s * rate)
    inside = probability[int(start_s * rate) : last + 1]
    if not len(inside):
        return (start_s + end_s) / 2, "its middle, for it was not heard yet"
    so_far = "" if last < len(probability) + 1 else " of what was heard of it so far"
    return min(end_s, start_s + int(np.abs(inside - 0.5).argmax()) / rate), f"where the listener is surest{so_far}"


def to_json(number: str, why: Why, grid: Grid, seconds: float) -> dict[str, Any]:
    """What the page is told: words, trials, and the region on the frames and bands of what it shows."""
    explanation = why.explanation
    judged = verdict(explanation)
    mask, start_s = on_grid(explanation.mask.astype(np.uint8), explanation.axes, grid)
    relevance, _ = on_grid(np.floor(255 * explanation.relevance).astype(np.uint8), explanation.axes, grid)
    frames, bands = mask.shape
    first = next(iter(explanation.labels), VOCAL)
    sounds = KINDS if explanation.trust.carried is not None and explanation.mask.any() else KINDS[:3]
    return {
        "id": number,
        "song": why.song.number,
        "at_s": explanation.at_s,
        "start_s": start_s,
        "end_s": start_s + frames / grid.frames_per_second,
        "frames_per_second": grid.frames_per_second,
        "passage": why.passage and why.passage.span,
        "listener": explanation.listener,
        "label": explanation.label,
        "contrast": explanation.contrast,
        "predicted": explanation.predicted,
        "labels": {name: said.probability for name, said in explanation.labels.items()},
        "probability": explanation.probability,
        "spoken": spoken_of(first if explanation.is_binary else explanation.label),
        "threshold": explanation.threshold,
        "rule": explanation.rule,
        "alpha": explanation.alpha,
        "area": explanation.trust.relative_area,
        "words": {
            "headline": judged.headline,
            "sentences": [*_about_passage(why), *({"bearing": f.bearing, "text": f.text} for f in judged.findings)],
        },
        "trials": [{"name": each.name, "value": each.probability, "label": each.label} for each in trials(explanation)],
        "warnings": [each.sentence for each in explanation.warnings],
        "region": {"frames": frames, "mels": bands, "bits": text(np.packbits(mask))},
        "relevance": {"frames": frames, "mels": bands, "bytes": text(relevance)},
        "picture": log_mel_picture(explanation.log_mel),
        "seconds": {"explain": seconds},
        "sounds": {kind: f"/api/explanations/{number}/sounds/{kind}" for kind in sounds},
    }


def _about_passage(why: Why) -> list[dict[str, str]]:
    if why.passage is None:
        return []
    start, end = map(clock_exact, why.passage.span)
    told = f"Of {start} to {end} this is about {clock_exact(why.explanation.at_s)}, {why.passage.chosen}."
    return [{"bearing": "neutral", "text": told}]


async def nearest(client: Client, why: Why) -> list[dict[str, Any]] | None:
    """Excerpts of the bundle's own music that the listener holds for most alike; None where it knows none.

    Raises:
        PhonoscopeError: the service does not answer.
    """
    asked = replace(why.asked, evidence="mean-fill")  # nothing is tried again
    try:
        return [asdict(each) for each in (await ask(client, why.song, asked, nearest=NEAREST)).nearest]
    except NotInBundleError:
        return None


async def sound(client: Client, why: Why, kind: str) -> bytes | None:
    """A sound of an explanation as WAV; all of them are made when the first is wanted. None where there is none.

    Raises:
        PhonoscopeError: the service does not make them.
    """
    async with why.making:
        if not why.sounds:
            evidence: Evidence = "kept" if why.explanation.trust.carried is not None else "mean-fill"
            asked = replace(why.asked, alpha=why.explanation.alpha, evidence=evidence)
            why.sounds = _encoded(await ask(client, why.song, asked, listen=True))
    return why.sounds.get(kind)


def _encoded(heard: Explanation) -> dict[str, bytes]:
    """Every sound, all made softer by as much as keeps each within full scale."""
    made: dict[str, Waveform | None] = {
        "original": heard.original_audio,
        "region": heard.explanation_audio,
        "removed": removed_sound(heard.original_audio, heard.explanation_audio, heard.outside_db),
        "carried": heard.carried_audio,
        "silhouette": heard.silhouette_audio,
    }
    there = {kind: each for kind, each in made.items() if each is not None}
    loudest = max([1.0, *(float(np.abs(each.samples).max(initial=0)) for each in there.values())])
    return {kind: wav(each.samples, each.sample_rate_hz, gain=1 / loudest) for kind, each in there.items()}

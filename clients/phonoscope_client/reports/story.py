"""What somebody found in a studio, as one HTML file to pass on: moments with regions, words and sounds, and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phonoscope_client.reports.explanation import LEVELS, QUIETEST_DB, SMALL_TICKS_HZ, heard_plot
from phonoscope_client.reports.figures import Player, Plot, colour_bar, data_uri, map_plot
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import decibels, png
from phonoscope_client.reports.region import RegionOverlay, region_overlay
from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.maximisation import Maximisation
from phonoscope_client.results.parts import VOCAL
from phonoscope_client.results.verdict.trials import Trial, trials
from phonoscope_client.results.verdict.verdict import Verdict, verdict
from phonoscope_client.results.wording import spoken_of

_SOUNDS = {
    "original": "The excerpt as it is",
    "region": "The region",
    "removed": "The excerpt without it",
    "carried": "The region in other music",
    "silhouette": "Its silhouette there",
}


@dataclass(frozen=True)
class FoundMoment:
    """One moment of a story.

    Attributes:
        song: what to call the recording.
        explanation: what was answered.
        note: what its finder says of it.
        sounds: WAV files by kind.
    """

    song: str
    explanation: Explanation
    note: str
    sounds: Mapping[str, bytes]


@dataclass(frozen=True)
class FoundUnit:
    """One unit of a story: its name, what it was found to want, and that as a WAV file."""

    name: str
    found: Maximisation
    sound: bytes | None


def story_page(title: str, notes: str, moments: Sequence[FoundMoment], units: Sequence[FoundUnit]) -> str:
    """The page of one story.

    Args:
        title: what its finder calls it.
        notes: what its finder says of it, as plain text.
        moments: in their order.
        units: likewise.
    """
    return page(
        "story",
        title=title,
        heading=title,
        span_s=1.0,
        provenance=_provenance(moments, units),
        notes=notes,
        moments=[_shown(each) for each in moments],
        units=[_unit(each) for each in units],
        levels=colour_bar(LEVELS, f"−{-QUIETEST_DB:.0f} dB", "0 dB", "below the loudest bin"),
    )


@dataclass(frozen=True)
class _Moment:
    """One moment as the template draws it."""

    song: str
    explanation: Explanation
    note: str
    verdict: Verdict
    trials: tuple[Trial, ...]
    spoken: str
    heard: Plot
    region: RegionOverlay
    sounds: list[Player]


@dataclass(frozen=True)
class _Unit:
    """One unit as the template draws it."""

    name: str
    steps: int
    response: float
    initial_response: float
    plot: Plot
    sound: Player | None


def _shown(moment: FoundMoment) -> _Moment:
    explanation = moment.explanation
    first = next(iter(explanation.labels), VOCAL)
    return _Moment(
        song=moment.song,
        explanation=explanation,
        note=moment.note,
        verdict=verdict(explanation),
        trials=trials(explanation),
        spoken=spoken_of(first if explanation.is_binary else explanation.label),
        heard=heard_plot(explanation),
        region=region_overlay(explanation),
        sounds=[
            Player(name, data_uri("audio/wav", moment.sounds[kind]))
            for kind, name in _SOUNDS.items()
            if kind in moment.sounds
        ],
    )


def _unit(unit: FoundUnit) -> _Unit:
    example = unit.found.examples["1"]
    picture = png(decibels(example.log_mel), LEVELS)
    description = f"Spectrogram of what {unit.name} responds to most."
    return _Unit(
        name=unit.name,
        steps=unit.found.steps,
        response=example.response,
        initial_response=example.initial_response,
        plot=map_plot(picture, description, unit.found.axes, len(example.log_mel), times=5, at_hz=SMALL_TICKS_HZ),
        sound=None if unit.sound is None else Player(f"What {unit.name} wants", data_uri("audio/wav", unit.sound)),
    )


def _provenance(moments: Sequence[FoundMoment], units: Sequence[FoundUnit]) -> list[tuple[str, str]]:
    bundles = dict.fromkeys([*(each.explanation.bundle for each in moments), *(each.found.bundle for each in units)])
    rows = [row for bundle in bundles for row in (("Bundle", bundle.name), ("Digest (SHA-256)", bundle.digest))]
    rows += [("Moments", str(len(moments)))] if moments else []
    return [*rows, *([("Units", str(len(units)))] if units else [])]

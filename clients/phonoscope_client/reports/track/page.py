"""A whole track as one HTML file to look at, to listen to and to walk through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phonoscope_client.files import printable
from phonoscope_client.reports.figures import Player, Plot, colour_bar, data_uri, map_plot
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import Scale, Tick, frequency_ticks, png
from phonoscope_client.reports.track.drawing import COLOURS, QUIETEST_DB, drawing
from phonoscope_client.reports.track.opus import recording
from phonoscope_client.results.parts import Axes
from phonoscope_client.results.track import LabelMap, RankedMoment, Track
from phonoscope_client.results.verdict.along import STANDINGS, Standing, standing
from phonoscope_client.results.wording import clock, percent, spoken_of

MOST_SOUND_BYTES = 24 * 2**20  # of the recording; a browser takes long to open more
MOST_RANKED = 5  # moments that are to be trusted most, and as many that are to be trusted least
RELEVANCES = Scale("magma", 0.0, 1.0)
SMALL_TICKS_HZ = (200, 500, 1000, 2000, 5000, 8000)
_CURVE_TICKS = (Tick(0.1, "0"), Tick(0.55, "0.5"), Tick(1.0, "1"))  # above a strip of a tenth, that of the segments
_TRUST = {
    "none": "nothing was tried on regions",
    "kept": "each region was tried alone, all else masked",
    "full": "each region was tried alone, and exchanged with other music",
}


@dataclass(frozen=True)
class Mattered:
    """What mattered for one answer: its label, a picture, and of how many explanations it is the mean."""

    label: str
    plot: Plot
    explained: int


@dataclass(frozen=True)
class Moment:
    """One explanation in a list: its number, when, the answer, and its badge."""

    number: int
    at_s: float
    label: str
    probability: float
    standing: Standing
    badge: str


def track_page(track: Track, *, song: Path) -> str:
    """The report of one track.

    Args:
        track: with its log-mel and the sounds of its explanations, where they are to be seen and heard.
        song: the recording's file; as much of it as has room is inside the page.
    """
    name = printable(song.name)
    moments, about = list(_moments(track)), spoken_of(track.curve.label)
    return page(
        "track",
        title=f"{name}: a whole track, and why",
        heading=name,
        span_s=track.end_s - track.start_s,
        provenance=_provenance(track),
        warnings=track.summary.warnings,
        track=track,
        drawing=drawing(track, song),
        share=track.curve.vocal_share if len(track.probability) else 0.0,
        about=about,
        recording=_recording(track, song),
        waveform=Plot(
            f"Waveform of the recording, {clock(track.end_s)} long, with a mark for each explanation.", [], []
        ),
        spectrogram=Plot(_described(track), [], frequency_ticks(track.begun.band_centre_hz)),
        curve=Plot(f"Probability of {about}; segments of {_labels(track)} below it.", [], list(_CURVE_TICKS)),
        levels=colour_bar(Scale(COLOURS, QUIETEST_DB, 0.0), f"−{-QUIETEST_DB:.0f} dB", "0 dB", "below the loudest bin"),
        moments=moments,
        standings=STANDINGS,
        most=[_named(moments, each) for each in track.summary.most_trustworthy[:MOST_RANKED]],
        least=[_named(moments, each) for each in track.summary.least_trustworthy[:MOST_RANKED]],
        mattered=[_mattered(track, each) for each in track.summary.relevance],
        relevances=colour_bar(RELEVANCES, "0", "1", "mean relevance"),
    )


def _described(track: Track) -> str:
    held = sum(each.trust.holds is True for each in track.explanations)
    return (
        f"Spectrogram of the track, up to {track.begun.band_centre_hz[-1] / 1000:.1f} kilohertz, with the regions of "
        f"{len(track.explanations)} explanations outlined, {held} of which hold; they are listed below."
    )


def _labels(track: Track) -> str:
    return " and ".join(dict.fromkeys(each.label for each in track.summary.segments)) or "no label"


def _recording(track: Track, song: Path) -> Player | None:
    sound = recording(song, duration_s=track.end_s, most_bytes=MOST_SOUND_BYTES)
    return None if sound is None else Player("The recording", data_uri("audio/ogg", sound))


def _moments(track: Track) -> Iterator[Moment]:
    for number, each in enumerate(track.explanations):
        found = standing(each)
        yield Moment(number, each.at_s, each.label, each.probability, found, STANDINGS[found])


def _named(moments: list[Moment], ranked: RankedMoment) -> Moment:
    """The moment of the list that a ranked one is."""
    return min(moments, key=lambda each: abs(each.at_s - ranked.at_s))


def _mattered(track: Track, found: LabelMap) -> Mattered:
    frames = len(found.mean_relevance)
    rate = track.begun.map_frames_per_second
    axes = Axes(-((frames - 1) // 2) / rate, rate, track.begun.band_centre_hz)
    description = f"Mean relevance of each bin around the moments explained as {found.label}."
    picture = map_plot(png(found.mean_relevance, RELEVANCES), description, axes, frames, times=5, at_hz=SMALL_TICKS_HZ)
    return Mattered(found.label, picture, found.explained)


def _provenance(track: Track) -> list[tuple[str, str]]:
    begun, summary = track.begun, track.summary
    heard = f"{clock(track.start_s)} to {clock(track.end_s)}"
    rows = [
        ("Bundle", begun.bundle.name),
        ("Digest (SHA-256)", begun.bundle.digest),
        ("Listener", begun.listener),
        ("Explained", _explained(track)),
        ("Heard", heard if summary.complete else f"{heard}: then time ran out"),
        ("Segments", f"{begun.decided_by}, {_smoothing(track)}"),
        ("Regions", f"rule {begun.rule}, masking {begun.masking}"),
        ("Trust", _TRUST[begun.trust_level]),
        ("Answered in", f"{summary.seconds:.1f} s"),
    ]
    if begun.outside_db is not None:
        rows.append(("Sound of a region", f"everything else {begun.outside_db:g} dB softer, and the reverse"))
    if summary.share_held is not None:
        rows.append(("Explanations that hold", f"{percent(summary.share_held)} of {summary.tried}"))
    return rows


def _explained(track: Track) -> str:
    begun = track.begun
    if begun.label is None:
        return "the label of each moment"
    return f"{begun.label} rather than {begun.contrast}" if begun.contrast else begun.label


def _smoothing(track: Track) -> str:
    begun = track.begun
    median = f"median of {begun.median_filter_s:g} s" if begun.median_filter_s else "not smoothed"
    return f"{median}, of at least {begun.minimum_s:g} s" if begun.minimum_s else median

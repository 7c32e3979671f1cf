"""What features hear of a moment, as one HTML file to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phonoscope_client.reports.figures import Cell, Plot, colour_bar, map_plot, players, span_s
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import Scale, png
from phonoscope_client.results.auralisation import Auralisation, HeardFeature
from phonoscope_client.results.parts import Floats

RANGE_DB = 60.0  # from the faintest colour to the brightest
TICKS_HZ = {"tagger": (1000, 2000, 3000, 4000, 5000), "detector": (200, 500, 1000, 2000, 5000)}
MADE_AUDIBLE = {
    "phase": "each picture is the magnitude, and the recording lends its phase",
    "spectrum": "the recording's complex spectrum is multiplied by each picture over its largest value",
}


def auralisation_page(auralisation: Auralisation, *, song: str) -> str:
    """The report of what features hear at one moment.

    Args:
        auralisation: asked for with `listen`, where the page is to have players.
        song: what to call the recording.
    """
    low, high = (f"−{RANGE_DB:.0f} dB", "0 dB") if auralisation.network == "tagger" else ("−", "+")
    return page(
        "auralisation",
        title=f"{song} at {auralisation.at_s:.2f} s: what features of {auralisation.layer} hear",
        heading=song,
        span_s=len(auralisation.given) / auralisation.axes.frames_per_second,
        provenance=_provenance(auralisation),
        warnings=auralisation.warnings,
        auralisation=auralisation,
        headline=_headline(auralisation),
        cells=list(_cells(auralisation)),
        scale=colour_bar(_scale(auralisation), low, high, "of each picture's largest value"),
    )


def listening_gains(auralisation: Auralisation) -> dict[str, float]:
    """The gain for each sound at which it is as loud as the clip, and never beyond full scale.

    A picture is known up to a factor, and so is the loudness of its sound. Silence stays silent.
    """
    sounds = auralisation.sounds
    loudness = {name: float(np.sqrt(np.mean(np.square(sound.samples)))) for name, sound in sounds.items()}
    peaks = {name: float(np.abs(sound.samples).max(initial=0)) for name, sound in sounds.items()}
    return {
        name: min(loudness["original"] / loudness[name], 1 / peaks[name]) if peaks[name] > 0 else 1.0 for name in sounds
    }


def _headline(auralisation: Auralisation) -> str:
    silent = [name for name, each in auralisation.features.items() if not each.heard.any()]
    headline = f"{len(auralisation.features)} features of {auralisation.layer}"
    return f"{headline}; {', '.join(silent)} did not answer." if silent else f"{headline}."


def _scale(auralisation: Auralisation) -> Scale:
    return Scale("magma", -RANGE_DB, 0.0) if auralisation.network == "tagger" else Scale("RdBu_r", -1.0, 1.0)


def _cells(auralisation: Auralisation) -> Iterator[Cell]:
    gains = listening_gains(auralisation)
    yield Cell(
        "Clip",
        _plot(auralisation.given, f"Spectrogram of the clip as the {auralisation.network} is given it.", auralisation),
        f"what the {auralisation.network} is given",
        players([("Clip", auralisation.original_audio)], gain=gains.get("original", 1.0)),
    )
    for name, feature in auralisation.features.items():
        yield Cell(
            name,
            _plot(feature.heard, f"Spectrogram of what feature {name} hears.", auralisation),
            _note(feature),
            players([(name, feature.audio)], gain=gains.get(name, 1.0)),
        )


def _note(feature: HeardFeature) -> str:
    return f"mean activation {feature.strength:.3g}" if feature.heard.any() else "did not answer"


def _plot(values: Floats, description: str, auralisation: Auralisation) -> Plot:
    picture = png(_shown(auralisation, values), _scale(auralisation))
    at_hz = TICKS_HZ[auralisation.network]
    return map_plot(picture, description, auralisation.axes, len(values), times=4, at_hz=at_hz)


def _shown(auralisation: Auralisation, values: Floats) -> Floats:
    """Linear magnitudes in decibels below their largest, signed pictures as shares of it."""
    sizes = np.abs(values)
    largest = float(sizes.max()) or 1.0
    if auralisation.network == "detector":
        return np.asarray(values / np.float32(largest), np.float32)
    floor = 10 ** (-RANGE_DB / 20)
    return np.asarray(20 * np.log10(np.maximum(sizes / largest, floor)), np.float32)


def _provenance(auralisation: Auralisation) -> list[tuple[str, str]]:
    return [
        ("Bundle", auralisation.bundle.name),
        ("Digest (SHA-256)", auralisation.bundle.digest),
        ("Network", auralisation.network),
        ("Clip", "{:.3f} to {:.3f} s".format(*span_s(auralisation.axes, len(auralisation.given)))),
        ("Sound", MADE_AUDIBLE[auralisation.resynthesis]),
        ("Answered in", f"{1000 * auralisation.seconds:.0f} ms"),
    ]

"""What features hear of a moment, as one HTML file to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from phonoscope_client.reports.page import colour_bar, facts, image, page, player, plot
from phonoscope_client.reports.pictures import Scale, frequency_ticks, png, time_ticks
from phonoscope_client.results.auralisation import Auralisation, HeardFeature
from phonoscope_client.results.parts import Floats, Waveform, wav
from phonoscope_client.results.wording import percent

RANGE_DB = 60.0  # from the faintest colour to the brightest
TICKS_HZ = {"tagger": (1000, 2000, 3000, 4000, 5000), "detector": (200, 500, 1000, 2000, 5000)}
MADE_AUDIBLE = {
    "phase": "each picture is the magnitude, and the recording lends its phase",
    "spectrum": "the recording's complex spectrum is multiplied by each picture over its largest value",
}


@dataclass(frozen=True)
class _Cell:
    """One picture of the grid."""

    title: str
    values: Floats  # `[T, M]`
    description: str  # for those who cannot see the picture
    note: str
    sound: Waveform | None


def auralisation_page(auralisation: Auralisation, *, song: str) -> str:
    """The report of what features hear at one moment.

    Args:
        auralisation: asked for with `listen`, where the page is to have players.
        song: what to call the recording.
    """
    body = "\n".join(
        [
            _header(auralisation, song),
            _grid(auralisation),
            _classes(auralisation),
            _reading(),
            _provenance(auralisation),
        ]
    )
    title = f"{song} at {auralisation.at_s:.2f} s: what features of {auralisation.layer} hear"
    return page(title, body, span_s=len(auralisation.given) / auralisation.axes.frames_per_second)


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


def _header(auralisation: Auralisation, song: str) -> str:
    silent = [name for name, each in auralisation.features.items() if not each.heard.any()]
    headline = f"{len(auralisation.features)} features of {auralisation.layer}"
    if silent:
        headline += f"; {', '.join(silent)} did not answer"
    answer = ", ".join(f"{label} {percent(share)}" for label, share in auralisation.classes.items())
    return f"""<header>
<p class="kicker">Phonoscope: what does each feature hear?</p>
<h1>{escape(song)}</h1>
<p class="answer">Around {auralisation.at_s:.2f} s the {auralisation.network} answers {escape(answer)}.</p>
<p class="headline">{escape(headline)}.</p>
</header>"""


def _grid(auralisation: Auralisation) -> str:
    gains = listening_gains(auralisation)
    cells = "\n".join(_figure(cell, auralisation, gains) for cell in _cells(auralisation))
    low, high = (f"−{RANGE_DB:.0f} dB", "0 dB") if auralisation.network == "tagger" else ("−", "+")
    unit = "of each picture's largest value"
    repeat = '<label hidden><input type="checkbox" name="repeat"> repeat</label>' if auralisation.sounds else ""
    return f"""<section>
<h2>The clip, and what each feature hears of it</h2>
<div class="layers">
{cells}
</div>
<div class="legend">{colour_bar(_scale(auralisation), low, high, unit)}{repeat}</div>
</section>"""


def _scale(auralisation: Auralisation) -> Scale:
    return Scale("magma", -RANGE_DB, 0.0) if auralisation.network == "tagger" else Scale("RdBu_r", -1.0, 1.0)


def _cells(auralisation: Auralisation) -> Iterator[_Cell]:
    yield _Cell(
        "Clip",
        auralisation.given,
        f"Spectrogram of the clip as the {auralisation.network} is given it.",
        f"what the {auralisation.network} is given",
        auralisation.original_audio,
    )
    for name, feature in auralisation.features.items():
        yield _Cell(name, feature.heard, f"Spectrogram of what feature {name} hears.", _note(feature), feature.audio)


def _note(feature: HeardFeature) -> str:
    return f"mean activation {feature.strength:.3g}" if feature.heard.any() else "did not answer"


def _shown(auralisation: Auralisation, values: Floats) -> Floats:
    """Linear magnitudes in decibels below their largest, signed pictures as shares of it."""
    sizes = np.abs(values)
    largest = float(sizes.max()) or 1.0
    if auralisation.network == "detector":
        return np.asarray(values / np.float32(largest), np.float32)
    floor = 10 ** (-RANGE_DB / 20)
    return np.asarray(20 * np.log10(np.maximum(sizes / largest, floor)), np.float32)


def _figure(cell: _Cell, auralisation: Auralisation, gains: dict[str, float]) -> str:
    start_s = auralisation.axes.start_s
    stop_s = start_s + len(cell.values) / auralisation.axes.frames_per_second
    picture = plot(
        image(png(_shown(auralisation, cell.values), _scale(auralisation))),
        alt=cell.description,
        x=time_ticks(start_s, stop_s, most=4),
        y=frequency_ticks(auralisation.axes.band_centre_hz, TICKS_HZ[auralisation.network]),
        size="small",
    )
    gain = gains.get("original" if cell.title == "Clip" else cell.title, 1.0)
    heard = (
        player(cell.title, "audio/wav", wav(cell.sound.samples, cell.sound.sample_rate_hz, gain=gain))
        if cell.sound is not None
        else ""
    )
    return f'<div class="layer"><h3>{escape(cell.title)}</h3>{picture}<p class="quiet">{cell.note}</p>{heard}</div>'


def _classes(auralisation: Auralisation) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        f'<td><div class="track"><b style="width:{share:.2%}"></b></div></td>'
        f'<td class="number">{share:.3f}</td></tr>'
        for label, share in auralisation.classes.items()
    )
    return f"""<section>
<h2>What the {auralisation.network} says of the clip</h2>
<table class="bars">
<caption>Probability of each class</caption>
<tbody>{rows}</tbody>
</table>
</section>"""


def _reading() -> str:
    return """<section>
<h2>How to read this</h2>
<p>A feature is one filter of a layer. Its map says where in the clip it answered, and a deconvnet takes that map back
through the layers below to a picture of the sound: each maximum to the place it came from, each kernel turned round.
What is bright is what the feature answered to; what is dark left it alone.</p>
<p>A picture is known up to a factor, so each has its own colour scale, and every sound is as loud as the clip. The
phase is always the recording's: what a picture has lost can still be heard through it, faintly. A feature that did not
answer is silent.</p>
</section>"""


def _provenance(auralisation: Auralisation) -> str:
    start_s = auralisation.axes.start_s
    stop_s = start_s + len(auralisation.given) / auralisation.axes.frames_per_second
    rows = [
        ("Bundle", auralisation.bundle.name),
        ("Digest (SHA-256)", auralisation.bundle.digest),
        ("Network", auralisation.network),
        ("Clip", f"{start_s:.3f} to {stop_s:.3f} s"),
        ("Sound", MADE_AUDIBLE[auralisation.resynthesis]),
        ("Answered in", f"{1000 * auralisation.seconds:.0f} ms"),
    ]
    return f"<section>\n<h2>What made it</h2>\n{facts(rows)}\n</section>"

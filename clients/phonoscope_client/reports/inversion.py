"""What layers keep of a moment, as one HTML file to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from phonoscope_client.reports.page import colour_bar, facts, image, page, player, plot
from phonoscope_client.reports.pictures import Scale, frequency_ticks, png, time_ticks
from phonoscope_client.results.inversion import Inversions, LayerInversion
from phonoscope_client.results.parts import Floats, Waveform, wav
from phonoscope_client.results.wording import percent

TICKS_HZ = (200, 500, 1000, 2000, 5000)
SHOWN_SHARE = 0.995  # of the excerpt's bins lie within the colours


@dataclass(frozen=True)
class _Cell:
    """One picture of the grid."""

    title: str
    values: Floats  # `[T, M]`, standardised
    description: str  # for those who cannot see the picture
    note: str  # HTML, below it
    sounds: tuple[tuple[str, Waveform | None], ...]


def inversion_page(inversions: Inversions, *, song: str) -> str:
    """The report of one moment's inversions.

    Args:
        inversions: asked for with `listen`, where the page is to have players.
        song: what to call the recording.
    """
    body = "\n".join(
        [_header(inversions, song), _grid(inversions), _losses(inversions), _reading(), _provenance(inversions)]
    )
    title = f"{song} at {inversions.at_s:.2f} s: what each layer keeps"
    return page(title, body, span_s=len(inversions.standardised) / inversions.axes.frames_per_second)


def listening_gain(inversions: Inversions) -> float:
    """The gain for all sounds at which none exceeds full scale; at most 1."""
    peak = max((float(np.abs(sound.samples).max(initial=0)) for sound in inversions.sounds.values()), default=0.0)
    return 1 / max(1.0, peak)


def _header(inversions: Inversions, song: str) -> str:
    layers = inversions.layers
    most = max(layers, key=lambda name: layers[name].reconstruction_error)
    least = min(layers, key=lambda name: layers[name].reconstruction_error)
    strange = [name for name, layer in layers.items() if layer.out_of_distribution]
    headline = f"{most} has lost most of this excerpt (error {layers[most].reconstruction_error:.2f})"
    if least != most:
        headline += f", {least} least ({layers[least].reconstruction_error:.2f})"
    warning = f" Do not lean on {', '.join(strange)}: out of distribution." if strange else ""
    return f"""<header>
<p class="kicker">Phonoscope: what does each layer keep?</p>
<h1>{escape(song)}</h1>
<p class="answer">At {inversions.at_s:.2f} s the detector answers
<strong class="{inversions.label}">{inversions.label}</strong>, probability of singing
{inversions.probability:.2f}.</p>
<p class="headline">{escape(headline)}.{escape(warning)}</p>
</header>"""


def _grid(inversions: Inversions) -> str:
    reach = max(1.0, float(np.quantile(np.abs(inversions.standardised), SHOWN_SHARE)))
    scale = Scale("magma", -reach, reach)
    gain = listening_gain(inversions)
    cells = "\n".join(_figure(cell, inversions, scale, gain) for cell in _cells(inversions))
    bar = colour_bar(scale, f"−{reach:.1f}", f"+{reach:.1f}", "standard deviations from the band's mean")
    repeat = '<label hidden><input type="checkbox" name="repeat"> repeat</label>' if inversions.sounds else ""
    return f"""<section>
<h2>The excerpt, and what is rebuilt of it from each layer alone</h2>
<div class="layers">
{cells}
</div>
<div class="legend">{bar}{repeat}</div>
</section>"""


def _cells(inversions: Inversions) -> Iterator[_Cell]:
    yield _Cell(
        title="Excerpt",
        values=inversions.standardised,
        description="Spectrogram of the excerpt as the detector is given it.",
        note="what the detector is given",
        sounds=(("As it is", inversions.original_audio), ("From its log-mel", inversions.log_mel_audio)),
    )
    for name, layer in inversions.layers.items():
        yield _Cell(
            title=name,
            values=layer.inverted,
            description=f"Spectrogram rebuilt from layer {name}, normalised error {layer.reconstruction_error:.2f}.",
            note=_note(layer),
            sounds=((f"From {name}", layer.audio),),
        )


def _note(layer: LayerInversion) -> str:
    rank = percent(layer.reconstruction_percentile)
    strange = "; <strong>out of distribution</strong>" if layer.out_of_distribution else ""
    return f"error {layer.reconstruction_error:.3f}, above that of {rank} of validation excerpts{strange}"


def _figure(cell: _Cell, inversions: Inversions, scale: Scale, gain: float) -> str:
    start_s = inversions.axes.start_s
    stop_s = start_s + len(cell.values) / inversions.axes.frames_per_second
    picture = plot(
        image(png(cell.values, scale)),
        alt=cell.description,
        x=time_ticks(start_s, stop_s, most=4),
        y=frequency_ticks(inversions.axes.band_centre_hz, TICKS_HZ),
        size="small",
    )
    players = "".join(
        player(name, "audio/wav", wav(sound.samples, sound.sample_rate_hz, gain=gain))
        for name, sound in cell.sounds
        if sound is not None
    )
    return f'<div class="layer"><h3>{escape(cell.title)}</h3>{picture}<p class="quiet">{cell.note}</p>{players}</div>'


def _losses(inversions: Inversions) -> str:
    longest = max(1.0, *(layer.reconstruction_error for layer in inversions.layers.values()))
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        f'<td><div class="track"><b style="width:{layer.reconstruction_error / longest:.2%}"></b>'
        f'<i style="left:{1 / longest:.2%}"></i></div></td>'
        f'<td class="number">{layer.reconstruction_error:.3f}</td></tr>'
        for name, layer in inversions.layers.items()
    )
    return f"""<section>
<h2>How much is lost</h2>
<table class="bars">
<caption>Normalised reconstruction error; the mark is 1, as far as two excerpts are from each other on average</caption>
<tbody>{rows}</tbody>
</table>
</section>"""


def _reading() -> str:
    return """<section>
<h2>How to read this</h2>
<p>For each layer a network was trained to rebuild the excerpt from that layer's activation and nothing else. What it
rebuilds, the layer keeps; what is missing or blurred, the layer has dropped, or keeps in a way the network cannot
read. What a network was taught to expect of any excerpt it may add: a picture is not proof that the layer holds it.</p>
<p>All pictures share one colour scale, over time from left to right and over frequency from low to high on the mel
scale the detector hears on. All sounds keep the excerpt's own phase, which no layer knows: melodies can be heard
through it that the picture has lost. The excerpt made into sound from its log-mel is the best that any layer can
sound.</p>
<p>The error is the Euclidean distance between the picture and the excerpt's, divided by the mean distance between two
excerpts: 0 is the excerpt itself, 1 no nearer than another excerpt. An error beyond that of 99 % of the validation
excerpts is out of distribution.</p>
</section>"""


def _provenance(inversions: Inversions) -> str:
    start_s = inversions.axes.start_s
    stop_s = start_s + len(inversions.standardised) / inversions.axes.frames_per_second
    rows = [
        ("Bundle", inversions.bundle.name),
        ("Digest (SHA-256)", inversions.bundle.digest),
        ("Moment", f"{inversions.at_s:.3f} s"),
        ("Excerpt", f"{start_s:.3f} to {stop_s:.3f} s"),
        ("Threshold", f"{inversions.threshold:g}"),
        ("Answered in", f"{1000 * inversions.seconds:.0f} ms"),
    ]
    gain = listening_gain(inversions)
    if gain < 1:
        rows.append(("Sound", f"every player turned down by {-20 * np.log10(gain):.1f} dB to avoid clipping"))
    return f"<section>\n<h2>What made it</h2>\n{facts(rows)}\n</section>"

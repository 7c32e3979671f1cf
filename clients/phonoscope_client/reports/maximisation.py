"""What units want to hear, as one HTML file to look at and listen to."""

from __future__ import annotations

from html import escape

import numpy as np

from phonoscope_client.reports.page import colour_bar, facts, image, page, player, plot
from phonoscope_client.reports.pictures import DB_PER_NEPER, Scale, frequency_ticks, png, time_ticks
from phonoscope_client.results.maximisation import Maximisation, MaximisedExample
from phonoscope_client.results.parts import Floats, Waveform, is_vocal, label_of, wav

TICKS_HZ = (200, 500, 1000, 2000, 5000)
SHOWN_DB = 80.0  # below the loudest bin of all pictures
FULL_SCALE = 0.9  # of every sound's loudest sample: generated sounds have no level of their own


def maximisation_page(found: Maximisation) -> str:
    """The sheet of a maximisation: each example beside the random sound it was found from.

    Args:
        found: asked for with `listen`, where the page is to have players.
    """
    body = "\n".join([_header(found), _sheet(found), _reading(found), _provenance(found)])
    frames = max((len(each.log_mel) for each in found.examples.values()), default=0)
    return page(f"What {found.response} wants", body, span_s=frames / found.axes.frames_per_second)


def listening_gain(sound: Waveform) -> float:
    """The gain that brings a generated sound, whose level means nothing, to a common peak."""
    peak = float(np.abs(sound.samples).max(initial=0))
    return FULL_SCALE / peak if peak else 1.0


def _header(found: Maximisation) -> str:
    initial, response = (
        np.mean([getattr(each, name) for each in found.examples.values()]) for name in ("initial_response", "response")
    )
    vocal = sum(is_vocal(each.probability, found.threshold) for each in found.examples.values())
    began = sum(is_vocal(each.initial_probability, found.threshold) for each in found.examples.values())
    done = "largest" if found.direction == "maximise" else "smallest"
    return f"""<header>
<p class="kicker">Phonoscope: what does it want to hear?</p>
<h1>{escape(found.response)}</h1>
<p class="answer">Sounds for which the response is {done} and which the generator still finds likely.</p>
<p class="headline">From {_signed(initial)} to {_signed(response)} on average; the detector calls {vocal} of
{len(found.examples)} vocal, and called {began} of the random starts so.</p>
</header>"""


def _sheet(found: Maximisation) -> str:
    scale = Scale("magma", -SHOWN_DB, 0)
    loudest = max(float(max(each.log_mel.max(), each.initial_log_mel.max())) for each in found.examples.values())
    rows = "\n".join(_row(name, each, found, scale, loudest) for name, each in found.examples.items())
    bar = colour_bar(scale, f"−{SHOWN_DB:.0f} dB", "0 dB", "below the loudest bin of the sheet")
    repeat = '<label hidden><input type="checkbox" name="repeat"> repeat</label>' if found.sounds else ""
    return f"""<section>
<h2>Where each began, and what was found</h2>
<div class="layers pairs">
{rows}
</div>
<div class="legend">{bar}{repeat}</div>
</section>"""


def _row(name: str, example: MaximisedExample, found: Maximisation, scale: Scale, loudest: float) -> str:
    began = _note(example.initial_response, example.initial_probability, found.threshold)
    ended = _note(example.response, example.probability, found.threshold)
    start, end = f"Start {name}", f"Example {name}"
    return _figure(start, example.initial_log_mel - loudest, began, example.initial_audio, found, scale) + _figure(
        end, example.log_mel - loudest, ended, example.audio, found, scale
    )


def _note(response: float, probability: float, threshold: float) -> str:
    label = label_of(probability, threshold)
    return f"response {_signed(response)}; {label}, probability of singing {probability:.2f}"


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _figure(title: str, nepers: Floats, note: str, sound: Waveform | None, found: Maximisation, scale: Scale) -> str:
    picture = plot(
        image(png(nepers * np.float32(DB_PER_NEPER), scale)),
        alt=f"Spectrogram of {title.lower()}: {note}.",
        x=time_ticks(0, len(nepers) / found.axes.frames_per_second, most=4),
        y=frequency_ticks(found.axes.band_centre_hz, TICKS_HZ),
        size="small",
    )
    heard = ""
    if sound is not None:
        heard = player(title, "audio/wav", wav(sound.samples, sound.sample_rate_hz, gain=listening_gain(sound)))
    return f'<div class="layer"><h3>{escape(title)}</h3>{picture}<p class="quiet">{escape(note)}</p>{heard}</div>\n'


def _reading(found: Maximisation) -> str:
    verb = "raise" if found.direction == "maximise" else "lower"
    return f"""<section>
<h2>How to read this</h2>
<p>A generator was trained to make spectrograms like those of music from random numbers. Each example began at random
numbers, which were then changed step by step to {verb} the response while staying numbers that the generator knows.
What all examples have in common, and their starts have not, is what the response stands for.</p>
<p>The generator bounds what can be shown: what it never learned to draw cannot be wanted here. Sounds are made from the
pictures by searching for a phase that fits (Griffin-Lim), above 8 kHz there is nothing, and every player is brought to
the same peak, because the pictures' own levels are no levels of a recording.</p>
</section>"""


def _provenance(found: Maximisation) -> str:
    rows = [
        ("Bundle", found.bundle.name),
        ("Digest (SHA-256)", found.bundle.digest),
        ("Response", f"{found.response}, {found.direction}d"),
        ("Steps", f"{found.steps}"),
        ("Learning rate", f"{found.learning_rate:g}"),
        ("Weight of the prior", f"{found.prior_weight:g}"),
        ("Seed", f"{found.seed}"),
        ("Vocal from", f"{found.threshold:g}"),
    ]
    return f"<section>\n<h2>What made it</h2>\n{facts(rows)}\n</section>"

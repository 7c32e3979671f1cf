"""An explanation as one HTML file to look at and listen to."""

from __future__ import annotations

from html import escape

import numpy as np

from phonoscope_client.reports.page import colour_bar, facts, image, page, player, plot
from phonoscope_client.reports.pictures import Scale, decibels, frequency_ticks, png, time_ticks
from phonoscope_client.reports.region import region_overlay, span_s, whereabouts
from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.parts import Waveform, wav
from phonoscope_client.results.verdict import Trial, trials, verdict
from phonoscope_client.results.wording import percent

QUIETEST_DB = -70.0  # below it a picture is one colour: what is softer is rarely heard beside the loudest bin
_MASKINGS = {"m1": "m1: set to their band's mean", "m2": "m2: raw log-mel set to zero"}
_RULES = {
    "masker": "How much of each bin a network keeps that was trained to find what the answer rests on.",
    "gradient": "Gradient times input, smoothed: above ½ what speaks for the answer, below what speaks against it.",
    "inversion": "What the features of the deepest layer still hold of the excerpt, scaled to run from 0 to 1.",
}
_ANSWERS = {"vocal": "somebody sings", "instrumental": "nobody sings"}


def explanation_page(explanation: Explanation, *, song: str) -> str:
    """The report of one explanation.

    Args:
        explanation: asked for with `listen`, where it is to have players.
        song: what to call the recording.
    """
    body = "\n".join(
        [
            _header(explanation, song),
            _heard(explanation),
            _evidence(explanation),
            _behind(explanation),
            _reading(explanation),
            _provenance(explanation),
        ]
    )
    frames = len(explanation.mask)
    title = f"{song} at {explanation.at_s:.2f} s: {explanation.label}"
    return page(title, body, span_s=frames / explanation.axes.frames_per_second)


def listening_gain(explanation: Explanation) -> float:
    """The gain for both sounds of an explanation at which neither exceeds full scale; at most 1."""
    sounds = [each for each in (explanation.original_audio, explanation.explanation_audio) if each is not None]
    peak = max((float(np.abs(each.samples).max(initial=0)) for each in sounds), default=0.0)
    return 1 / max(1.0, peak)


def _header(explanation: Explanation, song: str) -> str:
    return f"""<header>
<p class="kicker">Phonoscope: why did it answer that?</p>
<h1>{escape(song)}</h1>
<p class="answer">At {explanation.at_s:.2f} s the detector answers
<strong class="{explanation.label}">{explanation.label}: {_ANSWERS[explanation.label]}</strong>.</p>
<p>It puts the probability of singing at {explanation.probability:.2f}, and calls
{explanation.threshold:.2f} and above vocal.</p>
<p class="headline">{escape(verdict(explanation).headline)}</p>
</header>"""


def _heard(explanation: Explanation) -> str:
    level = decibels(explanation.log_mel)
    scale = Scale("magma", QUIETEST_DB, 0.0)
    start_s, stop_s = span_s(explanation)
    alt = (
        f"Spectrogram of the excerpt from {start_s:.2f} to {stop_s:.2f} seconds, up to "
        f"{explanation.axes.band_centre_hz[-1] / 1000:.1f} kilohertz, with all but the region of the explanation "
        f"dimmed: {whereabouts(explanation)}."
    )
    picture = plot(
        image(png(level, scale)) + region_overlay(explanation),
        alt=alt,
        x=time_ticks(start_s, stop_s),
        y=frequency_ticks(explanation.axes.band_centre_hz),
        x_title="seconds of the recording",
    )
    bar = colour_bar(scale, f"−{-scale.low:.0f} dB", "0 dB", "below the loudest bin")
    return f"""<section class="figure">
<h2>What it heard, and the region that the explanation keeps</h2>
<p class="quiet">The explanation keeps {percent(explanation.trust.relative_area)} of the excerpt; the rest is
dimmed. The dashed line is the moment asked about.</p>
{picture}
<div class="legend"><label><input type="checkbox" name="region" checked> show the region</label>{bar}</div>
{_players(explanation)}
</section>"""


def _players(explanation: Explanation) -> str:
    gain = listening_gain(explanation)

    def controls(name: str, sound: Waveform | None) -> str:
        if sound is None:
            return ""
        return player(name, "audio/wav", wav(sound.samples, sound.sample_rate_hz, gain=gain))

    sounds = controls("The excerpt as it is", explanation.original_audio)
    sounds += controls("The region", explanation.explanation_audio)
    if not sounds:
        return ""
    repeat = '<label hidden><input type="checkbox" name="repeat"> repeat</label>'
    return f'<div class="players">{sounds}{repeat}</div>'


def _evidence(explanation: Explanation) -> str:
    rows = "".join(_bar(trial, explanation.threshold) for trial in trials(explanation))
    findings = "".join(
        f'<li class="{finding.bearing}">{escape(finding.text)}</li>' for finding in verdict(explanation).findings
    )
    place = f"left:{explanation.threshold:.2%}"
    return f"""<section>
<h2>Is that the reason?</h2>
<p class="quiet">The detector was asked again with parts of the excerpt masked. The random region is as large
as the explanation, and shows what masking alone does.</p>
<table class="bars">
<caption>Probability that somebody sings</caption>
<tbody>{rows}
<tr class="scale" aria-hidden="true"><th></th><td><div><span class="first" style="left:0">0</span>
<span style="{place}">threshold {explanation.threshold:.2f}</span>
<span class="last" style="left:100%">1</span></div></td><td class="number"></td></tr></tbody>
</table>
<ul class="findings">{findings}</ul>
</section>"""


def _bar(trial: Trial, threshold: float) -> str:
    return (
        f'<tr><th scope="row">{escape(trial.name)}</th>'
        f'<td><div class="track {trial.label}"><b style="width:{trial.probability:.2%}"></b>'
        f'<i style="left:{threshold:.2%}"></i></div></td>'
        f'<td class="number">{trial.probability:.3f} <span class="{trial.label}">{trial.label}</span></td></tr>'
    )


def _behind(explanation: Explanation) -> str:
    relevance, level = Scale("magma", 0.0, 1.0), Scale("magma", QUIETEST_DB, 0.0)
    start_s, stop_s = span_s(explanation)
    x = time_ticks(start_s, stop_s, most=5)
    y = frequency_ticks(explanation.axes.band_centre_hz, (200, 500, 1000, 2000, 5000, 8000))
    left = plot(
        image(png(explanation.relevance, relevance)),
        alt="How relevant the rule finds each bin of the spectrogram.",
        x=x,
        y=y,
        size="small",
    )
    right = plot(
        image(png(decibels(explanation.log_mel), level, inside=explanation.mask)),
        alt="Spectrogram of the excerpt inside the region; outside it the picture is empty.",
        x=x,
        y=y,
        size="small",
    )
    bar = colour_bar(level, f"−{-level.low:.0f} dB", "0 dB", "below the loudest bin")
    return f"""<section>
<h2>Where the region comes from</h2>
<div class="pair">
<div><h3>Relevance</h3>
<p>{_RULES.get(explanation.rule, f"What the rule {escape(explanation.rule)} finds.")} The region is where this
reaches alpha = {explanation.alpha:.2f}.</p>{left}{colour_bar(relevance, "0", "1", "relevance")}</div>
<div><h3>Explanation</h3>
<p>The excerpt inside the region. For the detector, bins outside were masked
({_MASKINGS[explanation.masking]}).</p>{right}{bar}</div>
</div>
</section>"""


def _reading(explanation: Explanation) -> str:
    keeps = "singing" if explanation.label == "vocal" else "no singing"
    return f"""<section>
<h2>How to read this</h2>
<p>Each picture runs over time from left to right and over frequency from low to high, on the mel scale the
detector hears on. The detector answered for the middle of the excerpt, hearing all of it.</p>
<p>A good region keeps the answer ({keeps}) when it alone is left, loses it when it is removed, is small, and
does better than the random region beside it. One random region is a single draw: near the threshold it may
fall either way. What masked bins are filled with can itself sway the detector.</p>
<p>A region says where the evidence lies, not why the detector takes it for evidence, and one excerpt says
nothing about the next.</p>
</section>"""


def _provenance(explanation: Explanation) -> str:
    trust = explanation.trust
    rows = [
        ("Bundle", explanation.bundle.name),
        ("Digest (SHA-256)", explanation.bundle.digest),
        ("Moment", f"{explanation.at_s:.3f} s"),
        ("Excerpt", "{:.3f} to {:.3f} s".format(*span_s(explanation))),
        ("Threshold", f"{explanation.threshold:g}"),
        ("Rule", explanation.rule),
        ("Alpha", f"{explanation.alpha:g}"),
        ("Masking", explanation.masking),
        ("Relative area", f"{trust.relative_area:.4f}"),
        (
            "Reconstruction error",
            f"{trust.reconstruction_error:.3f}, above that of {percent(trust.reconstruction_percentile)} "
            "of validation excerpts",
        ),
    ]
    if explanation.outside_db is not None:
        rows.append(("Sound of the region", f"everything else {explanation.outside_db:g} dB softer"))
    gain = listening_gain(explanation)
    if gain < 1:
        rows.append(("Sound", f"both players turned down by {-20 * np.log10(gain):.1f} dB to avoid clipping"))
    return f"<section>\n<h2>What made it</h2>\n{facts(rows)}\n</section>"

"""An explanation as one HTML file to look at and listen to."""

from __future__ import annotations

import numpy as np

from phonoscope_client.reports.figures import Plot, colour_bar, common_gain, map_plot, players, span_s
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import Scale, decibels, png
from phonoscope_client.reports.region import location, region_overlay
from phonoscope_client.results.explanation import Explanation
from phonoscope_client.results.parts import INSTRUMENTAL, VOCAL
from phonoscope_client.results.verdict.trials import trials
from phonoscope_client.results.verdict.verdict import verdict
from phonoscope_client.results.wording import alike, each_label, percent

QUIETEST_DB = -70.0  # below it a picture is one colour: what is softer is rarely heard beside the loudest bin
LEVELS = Scale("magma", QUIETEST_DB, 0.0)
RELEVANCES = Scale("magma", 0.0, 1.0)
SMALL_TICKS_HZ = (200, 500, 1000, 2000, 5000, 8000)
_MASKINGS = {"m1": "m1: set to their band's mean", "m2": "m2: raw log-mel set to zero"}
_RULES = {
    "masker": "How much of each bin a network keeps that was trained to find what the answer rests on.",
    "gradient": "Gradient times input, smoothed: above ½ what speaks for the answer, below what speaks against it.",
    "inversion": "What the features of the deepest layer still hold of the excerpt, scaled to run from 0 to 1.",
}
_MEANINGS = {VOCAL: "somebody sings", INSTRUMENTAL: "nobody sings"}


def explanation_page(explanation: Explanation, *, song: str) -> str:
    """The report of one explanation.

    Args:
        explanation: asked for with `listen`, where it is to have players.
        song: what to call the recording.
    """
    predicted = explanation.predicted or explanation.label
    region = "The region" if explanation.mask.any() else "No region: all of the excerpt, softer"
    sounds = [
        ("The excerpt as it is", explanation.original_audio),
        (region, explanation.explanation_audio),
        ("The region in other music", explanation.carried_audio),
        ("Its silhouette there", explanation.silhouette_audio),
    ]
    return page(
        "explanation",
        title=f"{song} at {explanation.at_s:.2f} s: {explanation.label}",
        heading=song,
        span_s=len(explanation.mask) / explanation.axes.frames_per_second,
        provenance=_provenance(explanation),
        warnings=explanation.warnings,
        explanation=explanation,
        predicted=predicted,
        meaning=_MEANINGS.get(predicted, ""),
        first=next(iter(explanation.labels), VOCAL),
        answer_in_words={VOCAL: "singing", INSTRUMENTAL: "no singing"}.get(explanation.label, explanation.label),
        verdict=verdict(explanation),
        trials=trials(explanation),
        heard=heard_plot(explanation),
        region=region_overlay(explanation),
        levels=colour_bar(LEVELS, f"−{-QUIETEST_DB:.0f} dB", "0 dB", "below the loudest bin"),
        sounds=players(sounds, gain=listening_gain(explanation)),
        rule=_RULES.get(explanation.rule, f"What the rule {explanation.rule} finds."),
        relevance=_relevance(explanation),
        relevances=colour_bar(RELEVANCES, "0", "1", "relevance"),
        masking=_MASKINGS.get(explanation.masking, explanation.masking),
        inside=_inside(explanation),
    )


def listening_gain(explanation: Explanation) -> float:
    """The gain for all sounds of an explanation at which none exceeds full scale; at most 1."""
    sounds = (
        explanation.original_audio,
        explanation.explanation_audio,
        explanation.carried_audio,
        explanation.silhouette_audio,
    )
    return common_gain(each for each in sounds if each is not None)


def heard_plot(explanation: Explanation) -> Plot:
    """The spectrogram of the excerpt, which `region_overlay` is drawn over."""
    start_s, stop_s = span_s(explanation.axes, len(explanation.mask))
    description = (
        f"Spectrogram of the excerpt from {start_s:.2f} to {stop_s:.2f} seconds, up to "
        f"{explanation.axes.band_centre_hz[-1] / 1000:.1f} kilohertz, with all but the region of the explanation "
        f"dimmed: {location(explanation)}."
    )
    picture = png(decibels(explanation.log_mel), LEVELS)
    return map_plot(picture, description, explanation.axes, len(explanation.mask))


def _relevance(explanation: Explanation) -> Plot:
    description = "How relevant the rule finds each bin of the spectrogram."
    return _small(png(explanation.relevance, RELEVANCES), description, explanation)


def _inside(explanation: Explanation) -> Plot:
    description = "Spectrogram of the excerpt inside the region; outside it the picture is empty."
    return _small(png(decibels(explanation.log_mel), LEVELS, inside=explanation.mask), description, explanation)


def _small(picture: bytes, description: str, explanation: Explanation) -> Plot:
    return map_plot(picture, description, explanation.axes, len(explanation.mask), times=5, at_hz=SMALL_TICKS_HZ)


def _labels(explanation: Explanation) -> list[tuple[str, str]]:
    """What is explained, and what the listener says, where that is more than one number."""
    if explanation.is_binary:
        return []
    against = f", rather than {explanation.contrast}" if explanation.contrast else ""
    return [("Label explained", explanation.label + against), ("Labels", each_label(explanation.labels))]


def _provenance(explanation: Explanation) -> list[tuple[str, str]]:
    trust = explanation.trust
    rows = [
        ("Bundle", explanation.bundle.name),
        ("Digest (SHA-256)", explanation.bundle.digest),
        ("Moment", f"{explanation.at_s:.3f} s"),
        ("Excerpt", "{:.3f} to {:.3f} s".format(*span_s(explanation.axes, len(explanation.mask)))),
        ("Listener", explanation.listener),
        *_labels(explanation),
        *([("Threshold", f"{explanation.threshold:g}")] if explanation.threshold else []),
        ("Rule", explanation.rule),
        ("Alpha", f"{explanation.alpha:g}"),
        ("Masking", explanation.masking),
        ("Relative area", f"{trust.relative_area:.4f}"),
        ("Other music and random regions drawn from", f"seed {trust.control_seed}"),
    ]
    if trust.reconstruction_error:
        above = f"above that of {percent(trust.reconstruction_percentile)} of validation excerpts"
        rows.append(("Reconstruction error", f"{trust.reconstruction_error:.3f}, {above}"))
    if trust.doubt is not None:
        chances = f"{trust.doubt.doubt:.3f}: wrong {trust.doubt.wrong:.3f}, foreign {trust.doubt.foreign:.3f}"
        rows.append(("Doubt", f"{chances}, above that of {percent(trust.doubt.percentile)} of validation excerpts"))
    if explanation.nearest:
        rows.append(("Most alike, of the bundle's own music", "; ".join(map(alike, explanation.nearest))))
    if explanation.outside_db is not None:
        rows.append(("Sound of the region", f"everything else {explanation.outside_db:g} dB softer"))
    gain = listening_gain(explanation)
    if gain < 1:
        rows.append(("Sound", f"all players turned down by {-20 * np.log10(gain):.1f} dB to avoid clipping"))
    return rows

"""What layers keep of a moment, as one HTML file to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phonoscope_client.reports.figures import Cell, Plot, colour_bar, common_gain, map_plot, players, span_s
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import Scale, png
from phonoscope_client.results.inversion import Inversions
from phonoscope_client.results.parts import SINGING, VOCAL, Floats
from phonoscope_client.results.wording import percent

TICKS_HZ = (200, 500, 1000, 2000, 5000)
SHOWN_SHARE = 0.995  # of the excerpt's bins lie within the colours


def inversion_page(inversions: Inversions, *, song: str) -> str:
    """The report of one moment's inversions.

    Args:
        inversions: asked for with `listen`, where the page is to have players.
        song: what to call the recording.
    """
    reach = max(1.0, float(np.quantile(np.abs(inversions.standardised), SHOWN_SHARE)))
    scale = Scale("magma", -reach, reach)
    return page(
        "inversion",
        title=f"{song} at {inversions.at_s:.2f} s: what each layer keeps",
        heading=song,
        span_s=len(inversions.standardised) / inversions.axes.frames_per_second,
        provenance=_provenance(inversions),
        warnings=inversions.warnings,
        inversions=inversions,
        headline=_headline(inversions),
        first=next(iter(inversions.labels), VOCAL) if len(inversions.labels) <= len(SINGING) else inversions.label,
        cells=list(_cells(inversions, scale)),
        scale=colour_bar(scale, f"−{reach:.1f}", f"+{reach:.1f}", "standard deviations from the band's mean"),
        longest=max(1.0, *(layer.reconstruction_error for layer in inversions.layers.values())),
    )


def listening_gain(inversions: Inversions) -> float:
    """The gain for all sounds at which none exceeds full scale; at most 1."""
    return common_gain(inversions.sounds.values())


def _headline(inversions: Inversions) -> str:
    errors = {name: layer.reconstruction_error for name, layer in inversions.layers.items()}
    most, least = max(errors, key=errors.__getitem__), min(errors, key=errors.__getitem__)
    headline = f"{most} has lost most of this excerpt (error {errors[most]:.2f})"
    if least != most:
        headline += f", {least} least ({errors[least]:.2f})"
    out_of_distribution = [name for name, layer in inversions.layers.items() if layer.out_of_distribution]
    if out_of_distribution:
        return f"{headline}. Do not lean on {', '.join(out_of_distribution)}: out of distribution."
    return f"{headline}."


def _cells(inversions: Inversions, scale: Scale) -> Iterator[Cell]:
    gain = listening_gain(inversions)

    def plot(values: Floats, description: str) -> Plot:
        return map_plot(png(values, scale), description, inversions.axes, len(values), times=4, at_hz=TICKS_HZ)

    yield Cell(
        title="Excerpt",
        plot=plot(inversions.standardised, "Spectrogram of the excerpt as the detector is given it."),
        note="what the detector is given",
        players=players(
            [("As it is", inversions.original_audio), ("From its log-mel", inversions.log_mel_audio)], gain=gain
        ),
    )
    for name, layer in inversions.layers.items():
        error, rank = layer.reconstruction_error, percent(layer.reconstruction_percentile)
        yield Cell(
            title=name,
            plot=plot(layer.inverted, f"Spectrogram rebuilt from layer {name}, normalised error {error:.2f}."),
            note=f"error {error:.3f}, above that of {rank} of validation excerpts",
            players=players([(f"From {name}", layer.audio)], gain=gain),
            warning="out of distribution" if layer.out_of_distribution else "",
        )


def _provenance(inversions: Inversions) -> list[tuple[str, str]]:
    rows = [
        ("Bundle", inversions.bundle.name),
        ("Digest (SHA-256)", inversions.bundle.digest),
        ("Moment", f"{inversions.at_s:.3f} s"),
        ("Excerpt", "{:.3f} to {:.3f} s".format(*span_s(inversions.axes, len(inversions.standardised)))),
        ("Threshold", f"{inversions.threshold:g}"),
        ("Answered in", f"{1000 * inversions.seconds:.0f} ms"),
    ]
    gain = listening_gain(inversions)
    if gain < 1:
        rows.append(("Sound", f"every player turned down by {-20 * np.log10(gain):.1f} dB to avoid clipping"))
    return rows

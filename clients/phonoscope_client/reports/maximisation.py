"""What units want to hear, as one HTML file to look at and listen to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phonoscope_client.reports.figures import Cell, colour_bar, map_plot, players
from phonoscope_client.reports.page import page
from phonoscope_client.reports.pictures import DB_PER_NEPER, Scale, png
from phonoscope_client.results.maximisation import Maximisation
from phonoscope_client.results.parts import Floats, Waveform, is_vocal, label_of

TICKS_HZ = (200, 500, 1000, 2000, 5000)
SHOWN_DB = 80.0  # below the loudest bin of all pictures
LEVELS = Scale("magma", -SHOWN_DB, 0.0)
FULL_SCALE = 0.9  # of every sound's loudest sample: generated sounds have no level of their own


def maximisation_page(found: Maximisation) -> str:
    """The sheet of a maximisation: each example beside the random sound it was found from.

    Args:
        found: asked for with `listen`, where the page is to have players.
    """
    examples = found.examples.values()
    return page(
        "maximisation",
        title=f"What {found.response} wants",
        heading=found.response,
        span_s=max((len(each.log_mel) for each in examples), default=0) / found.axes.frames_per_second,
        provenance=_provenance(found),
        found=found,
        maximised=found.direction == "maximise",
        initial_response=_signed(np.mean([each.initial_response for each in examples])),
        response=_signed(np.mean([each.response for each in examples])),
        initially_vocal=sum(is_vocal(each.initial_probability, found.threshold) for each in examples),
        vocal=sum(is_vocal(each.probability, found.threshold) for each in examples),
        cells=list(_cells(found)),
        scale=colour_bar(LEVELS, f"−{SHOWN_DB:.0f} dB", "0 dB", "below the loudest bin of the sheet"),
    )


def listening_gain(sound: Waveform) -> float:
    """The gain that brings a generated sound, whose level means nothing, to a common peak."""
    peak = float(np.abs(sound.samples).max(initial=0))
    return FULL_SCALE / peak if peak else 1.0


def _cells(found: Maximisation) -> Iterator[Cell]:
    """Start and end of each example, in turn."""
    loudest = max(float(max(each.log_mel.max(), each.initial_log_mel.max())) for each in found.examples.values())

    def cell(title: str, log_mel: Floats, response: float, probability: float, sound: Waveform | None) -> Cell:
        label = label_of(probability, found.threshold)
        note = f"response {_signed(response)}; {label}, probability of singing {probability:.2f}"
        picture = png((log_mel - loudest) * np.float32(DB_PER_NEPER), LEVELS)
        description = f"Spectrogram of {title.lower()}: {note}."
        plot = map_plot(picture, description, found.axes, len(log_mel), times=4, at_hz=TICKS_HZ)
        gain = 1.0 if sound is None else listening_gain(sound)
        return Cell(title, plot, note, players([(title, sound)], gain=gain))

    for name, each in found.examples.items():
        yield cell(
            f"Start {name}",
            each.initial_log_mel,
            each.initial_response,
            each.initial_probability,
            each.initial_audio,
        )
        yield cell(f"Example {name}", each.log_mel, each.response, each.probability, each.audio)


def _signed(number: float | np.floating) -> str:
    return f"{number:.2f}".replace("-", "−")


def _provenance(found: Maximisation) -> list[tuple[str, str]]:
    return [
        ("Bundle", found.bundle.name),
        ("Digest (SHA-256)", found.bundle.digest),
        ("Response", f"{found.response}, {found.direction}d"),
        ("Steps", f"{found.steps}"),
        ("Learning rate", f"{found.learning_rate:g}"),
        ("Weight of the prior", f"{found.prior_weight:g}"),
        ("Seed", f"{found.seed}"),
        ("Vocal from", f"{found.threshold:g}"),
    ]

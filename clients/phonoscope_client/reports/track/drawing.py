"""What the script of a track's page draws: columns of the track in bytes, and each explanation."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from phonoscope_client.reports.figures import common_gain, data_uri
from phonoscope_client.reports.pictures import decibels
from phonoscope_client.reports.region import is_compact
from phonoscope_client.reports.track.opus import clip
from phonoscope_client.reports.track.waveform import extremes
from phonoscope_client.results.parts import VOCAL, Floats, Waveform
from phonoscope_client.results.track import Track, TrackExplanation
from phonoscope_client.results.verdict.along import STANDINGS, standing, track_verdict
from phonoscope_client.results.wording import spoken_of

MOST_COLUMNS = 2**17  # as many frames of 70 a second are half an hour; of a longer track several share a column
QUIETEST_DB = -70.0  # below it a picture is one colour
COLOURS = "magma"


def drawing(track: Track, song: Path) -> dict[str, Any]:
    """Everything, as JSON; arrays are base64 of bytes, row by row.

    Args:
        track: with its log-mel, where there is to be a spectrogram.
        song: the recording's file.
    """
    probability = _by_map_frame(track)
    frames = len(probability)
    share = max(1, math.ceil(frames / MOST_COLUMNS))
    columns = math.ceil(frames / share)
    per_second = track.begun.map_frames_per_second / share
    waveform = extremes(song, start_s=track.start_s, columns=columns, columns_per_second=per_second)
    return {
        "start_s": track.start_s,
        "end_s": track.end_s,
        "columns": columns,
        "columns_per_second": per_second,
        "bands": len(track.begun.band_centre_hz),
        "levels": "" if track.log_mel is None else _bytes(_levels(track.log_mel, share)),
        "colours": _bytes(mpl.colormaps[COLOURS](np.arange(256), bytes=True)[:, :3]),
        "waveform": "" if waveform is None else _bytes(waveform),
        "probability": _bytes(np.round(255 * _pooled(probability[:, None], share)[:, 0]).astype(np.uint8)),
        "threshold": track.begun.decision_threshold,
        "about": spoken_of(track.curve.label),
        "labels": list(track.begun.labels),
        "segments": [
            {"start_s": each.start_s, "end_s": each.end_s, "label": each.label} for each in track.summary.segments
        ],
        "explanations": [_explanation(each, track) for each in track.explanations],
    }


def _by_map_frame(track: Track) -> Floats:
    """The curve at the rate of maps: of a listener that hears excerpts, each value until the next."""
    times = round(track.begun.map_frames_per_second / track.begun.frames_per_second)
    along = np.repeat(track.curve.probability, times)
    return along if track.log_mel is None else along[: len(track.log_mel)]


def _levels(log_mel: Floats, share: int) -> npt.NDArray[np.uint8]:
    """`[columns, M]`: 255 for the loudest bin of the track, 0 for `QUIETEST_DB` below it and less."""
    below = np.clip(_pooled(decibels(log_mel), share) / QUIETEST_DB, 0, 1)
    levels: npt.NDArray[np.uint8] = np.round(255 * (1 - below)).astype(np.uint8)
    return levels


def _pooled(values: Floats, share: int) -> Floats:
    """The largest of each `share` rows of `[T, M]`."""
    if not len(values):
        return values
    largest: Floats = np.maximum.reduceat(values, np.arange(0, len(values), share), axis=0)
    return largest


def _explanation(explanation: TrackExplanation, track: Track) -> dict[str, Any]:
    judged = track_verdict(explanation)
    standing_ = standing(explanation)
    return {
        "at_s": explanation.at_s,
        "start_s": explanation.start_s,
        "label": explanation.label,
        "about": spoken_of(next(iter(explanation.labels), VOCAL) if track.begun.threshold else explanation.label),
        "probability": explanation.probability,
        "standing": standing_,
        "badge": STANDINGS[standing_],
        "headline": judged.headline,
        "findings": [{"bearing": each.bearing, "text": each.text} for each in judged.findings],
        "frames": len(explanation.mask),
        "seconds": len(explanation.mask) / track.begun.map_frames_per_second,
        "mask": _bytes(np.packbits(explanation.mask)),
        "compact": is_compact(explanation.mask),
        "sounds": _sounds(explanation, track.begun.outside_db),
    }


def _sounds(explanation: TrackExplanation, outside_db: float | None) -> dict[str, str]:
    """The excerpt, its region and what is left without it, equally loud against each other; none without sound."""
    removed = None if outside_db is None else explanation.removed_audio(outside_db)
    sounds: dict[str, Waveform | None] = {
        "excerpt": explanation.original_audio,
        "region": explanation.explanation_audio,
        "removed": removed,
    }
    there = {name: sound for name, sound in sounds.items() if sound is not None}
    gain = common_gain(there.values())
    return {name: data_uri("audio/ogg", clip(sound, gain=gain)) for name, sound in there.items()}


def _bytes(values: npt.NDArray[np.uint8] | npt.NDArray[np.int8]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()

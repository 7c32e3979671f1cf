"""A recording at the front-end's sample rate: all of it, or one section that is exact to the sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd

import numpy as np
import soxr

from phonoscope_serving.sound.audio import Recording
from phonoscope_serving.tensors import Floats

MARGIN_S = 0.25  # further than the resampler's filter reaches at the lowest rate accepted


def samples_at(recording: Recording, sample_rate_hz: int) -> int:
    """Samples the recording has at another rate, rounded to the nearest."""
    return (2 * recording.samples * sample_rate_hz + recording.sample_rate_hz) // (2 * recording.sample_rate_hz)


def whole(recording: Recording, sample_rate_hz: int) -> Floats:
    """All of a recording, `[N]` float32 mono.

    Args:
        recording: what to read.
        sample_rate_hz: the rate it is wanted at.

    Raises:
        InvalidRequest: see `Recording.blocks`.
    """
    return np.concatenate([np.zeros(0, np.float32), *resampled(recording, sample_rate_hz)])


def resampled(recording: Recording, sample_rate_hz: int) -> Iterator[Floats]:
    """The same in parts `[N]`, each made when it is asked for; the recording is never in memory at its own rate.

    Args:
        recording: what to read.
        sample_rate_hz: the rate it is wanted at.

    Raises:
        InvalidRequest: see `Recording.blocks`.
    """
    blocks = recording.blocks(0, recording.samples)
    if recording.sample_rate_hz == sample_rate_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(recording.sample_rate_hz, sample_rate_hz, 1, dtype="float32")
    left = samples_at(recording, sample_rate_hz)
    for block in blocks:
        part = stream.resample_chunk(block)[:left]
        left -= len(part)
        yield part
    part = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    yield _fitted(part, 0, left)


def sections(parts: Iterable[Floats], bounds: Iterable[tuple[int, int]]) -> Iterator[Floats]:
    """Stretches of what comes in parts; no more of it is kept than the next needs.

    Args:
        parts: `[N]` each, read to their end before the last stretch is given.
        bounds: the first sample of each stretch and the one after its last; neither goes back.
    """
    coming, wanted = iter(parts), list(bounds)
    kept, first = np.zeros(0, np.float32), 0
    for number, (start, stop) in enumerate(wanted):
        is_last = number == len(wanted) - 1
        held, count = [kept], len(kept)
        while (count < stop - first or is_last) and (part := next(coming, None)) is not None:
            held.append(part)
            count += len(part)
        kept, first = np.concatenate(held)[start - first :], start
        yield kept[: stop - start]


def section(recording: Recording, sample_rate_hz: int, start: int, count: int) -> Floats:
    """One section of a recording, decoded alone, `[count]` float32 mono; silence beyond the recording's ends.

    Equal to the same samples of `whole`: the section is read with a margin, from a sample where both rates' grids meet.

    Args:
        recording: what to read.
        sample_rate_hz: the rate it is wanted at.
        start: first sample at that rate; may be negative.
        count: samples at that rate.

    Raises:
        InvalidRequest: see `Recording.blocks`.
    """
    shared = gcd(recording.sample_rate_hz, sample_rate_hz)
    down, up = recording.sample_rate_hz // shared, sample_rate_hz // shared
    margin = 0 if down == up else int(MARGIN_S * sample_rate_hz)
    grid = max(0, start - margin) // up  # in steps of `down` samples there, `up` here
    stop = min(recording.samples, max(0, -(-(start + count + margin) * down // up)))
    blocks = list(recording.blocks(min(grid * down, stop), stop))
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if down != up and len(samples):
        samples = soxr.resample(samples, recording.sample_rate_hz, sample_rate_hz)
    end = samples_at(recording, sample_rate_hz) - grid * up
    return _fitted(samples[: max(0, end)], start - grid * up, count)


def _fitted(samples: Floats, start: int, count: int) -> Floats:
    """Samples `start` to `start + count`, with zeros where there are none."""
    if start >= 0 and start + count <= len(samples):
        return samples[start : start + count]
    result = np.zeros(count, np.float32)
    first, last = max(0, start), min(len(samples), start + count)
    if first < last:
        result[first - start : last - start] = samples[first:last]
    return result

"""The curve of a whole recording, computed piece by piece, or excerpt by excerpt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain

import numpy as np

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.sound.audio import AudioSource, Recording
from phonoscope_serving.sound.excerpt import require_frame
from phonoscope_serving.sound.resampling import resampled, samples_at, sections
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

PREDICT = "predict"
EXCERPTS_A_TURN = 4  # of a listener that hears excerpts: others wait for their turn
PIECE_S = 5.0  # long enough to be efficient, short enough for others to have their turn


@dataclass(frozen=True)
class Piece:
    """Part of a recording: the frames it answers for, and the samples and silence that surround them."""

    first_sample: int
    samples: int
    silence_before: int  # frames
    silence_after: int  # frames


@dataclass(frozen=True)
class Curve:
    """The answer."""

    probability: Floats  # `[rows, K]` float32 in [0, 1]
    warnings: tuple[SoundWarning, ...]  # of the recording, all of which was read


async def predict(call: Call, source: AudioSource) -> Curve:
    """What a listener says along a recording, such as the probability of singing at every frame.

    Args:
        call: what answers.
        source: the recording.

    Returns:
        Of a listener that hears tracks whole, the same numbers as one pass over the whole recording gives.

    Raises:
        RequestError: see `Decoder.read` and `Engine.infer`.
    """
    answering = _by_pieces if call.listener.predict_hop_frames is None else _by_excerpts
    probability: list[Floats] = []
    warnings: tuple[SoundWarning, ...] = ()
    async for part, so_far in answering(call, source):
        probability.append(part)
        warnings = so_far
    return Curve(np.concatenate(probability), warnings)


async def _by_pieces(call: Call, source: AudioSource) -> AsyncIterator[_Part]:
    """Pieces that are heard whole, every frame of them an answer."""
    front_end, model = call.listener.front_end, call.listener.model(PREDICT)

    def read(recording: Recording) -> Iterator[_Heard]:
        require_frame(recording, front_end)
        rate_hz = front_end.sample_rate_hz
        cut = pieces(front_end.frames(samples_at(recording, rate_hz)), front_end)
        bounds = ((piece.first_sample, piece.first_sample + piece.samples) for piece in cut)
        for piece, samples in zip(cut, sections(resampled(recording, rate_hz), bounds), strict=True):
            yield _Heard(piece, samples, recording.samples / recording.sample_rate_hz, recording.warnings)

    continues = False
    async with aclosing(call.stream(source, read)) as heard:
        async for each in heard:
            if not continues:
                call.measured(each.seconds)
            inputs = {
                "samples": each.samples[None],
                "silence_before": np.array([[each.piece.silence_before]], np.int32),
                "silence_after": np.array([[each.piece.silence_after]], np.int32),
            }
            outputs = await call.infer(model, inputs, continues=continues)
            continues = True
            yield outputs["probability"][0][:, None], each.warnings


async def _by_excerpts(call: Call, source: AudioSource) -> AsyncIterator[_Part]:
    """An excerpt around every so many frames, some at a time, with silence beyond the recording's ends."""
    listener, front_end = call.listener, call.listener.front_end
    hop, half = listener.predict_hop_frames or 1, front_end.context_frames * front_end.hop_samples

    def read(recording: Recording) -> Iterator[_Heard]:
        require_frame(recording, front_end)
        rate_hz, length = front_end.sample_rate_hz, front_end.excerpt_samples
        stop = front_end.frames(samples_at(recording, rate_hz)) * front_end.hop_samples
        first = range(0, stop, hop * front_end.hop_samples)
        surrounded = chain([np.zeros(half, np.float32)], resampled(recording, rate_hz), [np.zeros(length, np.float32)])
        rows: list[Floats] = []
        for number, samples in enumerate(sections(surrounded, ((start, start + length) for start in first)), start=1):
            rows.append(samples)
            if len(rows) == EXCERPTS_A_TURN or number == len(first):
                whole = Piece(first[number - len(rows)], length, 0, 0)
                yield _Heard(whole, np.stack(rows), recording.samples / recording.sample_rate_hz, recording.warnings)
                rows = []

    continues = False
    async with aclosing(call.stream(source, read)) as heard:
        async for each in heard:
            if not continues:
                call.measured(each.seconds)
            outputs = await call.infer(listener.model(PREDICT), {"samples": each.samples}, continues=continues)
            continues = True
            yield outputs["probability"], each.warnings


_Part = tuple[Floats, tuple[SoundWarning, ...]]  # probabilities `[rows, K]`, and of the recording so far


@dataclass(frozen=True)
class _Heard:
    """A piece that was read."""

    piece: Piece
    samples: Floats  # `[N]`, or of several excerpts `[B, N]`
    seconds: float  # of the recording
    warnings: tuple[SoundWarning, ...]  # of the recording so far; of all of it with the last piece


def pieces(frames: int, front_end: FrontEnd, piece_s: float = PIECE_S) -> list[Piece]:
    """Cuts a recording into pieces, each with as many neighbours as the detector looks at.

    Args:
        frames: frames of the recording.
        front_end: what a frame is.
        piece_s: what each piece answers for, in seconds.
    """
    context, step = front_end.context_frames, max(1, round(piece_s * front_end.frames_per_second))
    cut = []
    for first in range(0, frames, step):
        last = min(frames, first + step)
        begin, end = max(0, first - context), min(frames, last + context)
        cut.append(
            Piece(
                first_sample=begin * front_end.hop_samples,
                samples=front_end.samples(end - begin),
                silence_before=context - (first - begin),
                silence_after=context - (end - last),
            )
        )
    return cut

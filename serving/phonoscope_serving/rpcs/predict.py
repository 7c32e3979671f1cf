"""The curve of a whole recording, computed piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.sound.audio import AudioSource, Recording
from phonoscope_serving.sound.excerpt import require_frame
from phonoscope_serving.sound.resampling import resampled, samples_at, sections
from phonoscope_serving.sound.warning import SoundWarning
from phonoscope_serving.tensors import Floats

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

    probability: Floats  # `[frames]` float32 in [0, 1]
    warnings: tuple[SoundWarning, ...]  # of the recording, all of which was read


async def predict(call: Call, source: AudioSource) -> Curve:
    """Probability of singing at every frame of a recording.

    Args:
        call: what answers.
        source: the recording.

    Returns:
        The same numbers as one pass over the whole recording gives.

    Raises:
        RequestError: see `Decoder.read` and `Engine.infer`.
    """
    front_end = call.bundle.front_end

    def read(recording: Recording) -> Iterator[_Heard]:
        require_frame(recording, front_end)
        rate_hz = front_end.sample_rate_hz
        cut = pieces(front_end.frames(samples_at(recording, rate_hz)), front_end)
        bounds = ((piece.first_sample, piece.first_sample + piece.samples) for piece in cut)
        for piece, samples in zip(cut, sections(resampled(recording, rate_hz), bounds), strict=True):
            yield _Heard(piece, samples, recording.samples / recording.sample_rate_hz, recording.warnings)

    probability: list[Floats] = []
    async with aclosing(call.stream(source, read)) as heard:
        async for each in heard:
            if not probability:
                call.measured(each.seconds)
            inputs = {
                "samples": each.samples[None],
                "silence_before": np.array([[each.piece.silence_before]], np.int32),
                "silence_after": np.array([[each.piece.silence_after]], np.int32),
            }
            outputs = await call.infer("predict", inputs, continues=bool(probability))
            probability.append(outputs["probability"][0])
    return Curve(np.concatenate(probability), each.warnings)


@dataclass(frozen=True)
class _Heard:
    """A piece that was read."""

    piece: Piece
    samples: Floats  # `[N]`
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

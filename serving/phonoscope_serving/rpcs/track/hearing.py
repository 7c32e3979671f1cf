"""A piece of a track in one pass: its curve, and of the moments in it what explaining them takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.track.reading import TrackPiece
from phonoscope_serving.tensors import Array, Floats

CURVE = "probability"
MAPS = ("log_mel", "standardised")  # of the piece, from which those of its moments are cut


@dataclass(frozen=True)
class HeardPiece:
    """A piece that was heard."""

    piece: TrackPiece
    probability: Floats  # `[N]` of its own frames
    log_mel: Floats | None  # `[N, M]` likewise, where it was asked for
    passed: Mapping[int, int]  # frames of moments of which the pass gave all → their rows
    rows: Mapping[str, Array]  # tensor → a row for each of them
    maps: Mapping[str, Floats]  # `MAPS` of all frames it heard, `[T, M]`

    def taken(self, frames: Sequence[int], front_end: FrontEnd) -> dict[str, Array]:
        """What the pass gave of some of its moments, a row each."""
        rows = [self.passed[frame] for frame in frames]
        starts = [frame - self.piece.first_frame - self.piece.silence_before for frame in frames]
        cut = {
            name: np.stack([whole[start : start + front_end.excerpt_frames] for start in starts])
            for name, whole in self.maps.items()
        }
        own = np.array(frames) - self.piece.first_frame
        return {name: tensor[rows] for name, tensor in self.rows.items()} | cut | {CURVE: self.probability[own, None]}


async def hear(
    call: Call, rule: Rule, piece: TrackPiece, moments: Sequence[int], *, spectrogram: bool, continues: bool
) -> HeardPiece:
    """Hears a piece.

    Args:
        call: what answers.
        rule: that will explain its moments.
        piece: what is heard.
        moments: frames of it that will be explained, as far as that is known.
        spectrogram: also give the log-mel of its frames.
        continues: it is not the first of the track.
    """
    front_end = call.listener.front_end
    sound = piece.sounding(front_end)
    inputs = {
        "samples": sound[None],
        "silence_before": np.array([[piece.silence_before]], np.int32),
        "silence_after": np.array([[piece.silence_after]], np.int32),
    }
    own = front_end.context_frames - piece.silence_before
    if rule.along is None:
        made = await call.infer("predict", inputs, outputs=[CURVE], continues=continues)
        if spectrogram:
            made |= await call.infer("frontend", {"samples": sound[None]}, outputs=["log_mel"], continues=True)
        passed = []
    else:
        passed = _whole(piece, moments)
        first = np.array([[frame - piece.first_frame for frame in passed] or [0]], np.int32)
        wanted = _wanted(call, rule.along.hear, passed, spectrogram=spectrogram)
        made = await call.infer(rule.along.hear, inputs | {"first": first}, outputs=wanted, continues=continues)
    tensors = {name: tensor[0] for name, tensor in made.items()}
    probability, log_mel = tensors.pop(CURVE), tensors.get("log_mel")
    maps = {name: tensors.pop(name) for name in MAPS if name in tensors}
    return HeardPiece(
        piece=piece,
        probability=probability,
        log_mel=log_mel[own : own + piece.frames] if spectrogram and log_mel is not None else None,
        passed={frame: row for row, frame in enumerate(passed)},
        rows=tensors,
        maps=maps,
    )


def _whole(piece: TrackPiece, moments: Sequence[int]) -> list[int]:
    """The moments whose excerpts hold no silence from beyond the track's ends.

    There the pass hears whole frames of silence; an excerpt has some of the track's sound in the frames at its edge.
    """
    first = piece.first_frame + piece.silence_before
    end = piece.end_frame - piece.silence_after
    return [frame for frame in moments if first <= frame < end]


def _wanted(call: Call, model: str, passed: Sequence[int], *, spectrogram: bool) -> list[str]:
    """Everything, or, where there is no moment, the curve and what goes with it."""
    if passed:
        return [output.name for output in call.bundle.models[model].output]
    return [CURVE, "log_mel"] if spectrogram else [CURVE]

"""A piece of a track for a listener that hears no more than an excerpt at once: one for each frame of its curve."""

from __future__ import annotations

import numpy as np

from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.predict import EXCERPTS_A_TURN, PIECE_S, PREDICT
from phonoscope_serving.rpcs.track.hearing import CURVE, HeardPiece
from phonoscope_serving.rpcs.track.reading import TrackPiece
from phonoscope_serving.tensors import Floats

PICTURE = "log_mel"


def piece_s(listener: Listener) -> float:
    """What a piece of a track answers for, in seconds: of a listener that hears excerpts, a turn of them."""
    if listener.predict_hop_frames is None:
        return PIECE_S
    return EXCERPTS_A_TURN / listener.predictions_per_second


def rows_a_turn(call: Call, rule: Rule, rows: int) -> int:
    """How many moments a rule explains at once where `rows` would be: as many as its model takes.

    Excerpts that are heard by themselves take longer, and others wait.
    """
    most = rows if call.listener.predict_hop_frames is None else min(rows, EXCERPTS_A_TURN)
    takes: int = call.bundle.models[rule.ensemble].max_batch_size
    return min(most, max(1, takes))


async def hear_excerpts(call: Call, piece: TrackPiece, *, spectrogram: bool, continues: bool) -> HeardPiece:
    """Hears a piece as `Predict` does; of its moments, nothing is known by that.

    Args:
        call: what answers.
        piece: what is heard; it begins with a frame of the curve.
        spectrogram: also give the log-mel of its frames.
        continues: it is not the first of the track.

    Returns:
        Its `probability` is `[N]`, or, of more labels than two, `[N, K]`: a row each `predict_hop_frames`.

    Raises:
        NotInBundle: there is no picture of what the listener hears.
    """
    listener = call.listener
    samples = _excerpts(piece, listener, listener.predict_hop_frames or 1)
    made = await call.infer(listener.model(PREDICT), {"samples": samples}, outputs=[CURVE], continues=continues)
    probability = made[CURVE][:, 0] if listener.decision.count == 1 else made[CURVE]
    log_mel = await _picture(call, piece) if spectrogram else None
    return HeardPiece(piece, probability, log_mel, passed={}, rows={}, maps={})


async def _picture(call: Call, piece: TrackPiece) -> Floats:
    """The log-mel of a piece's frames, `[N, M]`, from the later halves of excerpts."""
    listener, front_end = call.listener, call.listener.front_end
    if PICTURE not in {output.name for output in call.bundle.models[listener.frontend].output}:
        raise NotInBundle(f"spectrogram: the bundle has no picture of what {listener.name} hears but those of moments")
    # The last frames of an excerpt may hear some of the silence behind it.
    sound = max(1, front_end.frames(front_end.excerpt_samples) - front_end.context_frames)
    samples = _excerpts(piece, listener, sound)
    made = await call.infer(listener.frontend, {"samples": samples}, outputs=[PICTURE], continues=True)
    middle = front_end.context_frames
    return np.concatenate(list(made[PICTURE][:, middle : middle + sound]))[: piece.frames]


def _excerpts(piece: TrackPiece, listener: Listener, step: int) -> Floats:
    """The excerpts around every so many of a piece's frames, `[B, N]`."""
    frames = range(piece.first_frame, piece.end_frame, step)
    return np.stack([piece.excerpt(frame, listener.front_end) for frame in frames])

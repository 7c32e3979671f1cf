"""A whole track: heard in one pass, piece by piece, explained along the way, and forgotten."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.decision import Decider, Decision
from phonoscope_serving.rpcs.explain.asked import rule_for
from phonoscope_serving.rpcs.naming import Naming, naming_of
from phonoscope_serving.rpcs.track.choosing.extremes import Extremes
from phonoscope_serving.rpcs.track.choosing.moments import Chooser
from phonoscope_serving.rpcs.track.excerpts import hear_excerpts, rows_a_turn
from phonoscope_serving.rpcs.track.explaining import ROWS, Excerpts, Explainer, Moment
from phonoscope_serving.rpcs.track.hearing import HeardPiece, hear
from phonoscope_serving.rpcs.track.pipeline import one_ahead
from phonoscope_serving.rpcs.track.question import TrackQuestion
from phonoscope_serving.rpcs.track.reading import TrackPiece
from phonoscope_serving.rpcs.track.sound import pieces_of
from phonoscope_serving.rpcs.track.summary import Summary, Tally
from phonoscope_serving.sound.audio import peak
from phonoscope_serving.sound.excerpt import SILENT_PEAK
from phonoscope_serving.tensors import Floats

LAST_S, LAST_SHARE = 0.5, 0.2  # of the time that is left, kept for the summary
SLICE_S = 60.0  # of a track of unknown length is taken on at once


@dataclass(frozen=True)
class Begun:
    """What will be done."""

    rule: Rule
    decision: Decision
    naming: Naming
    duration_s: float | None


@dataclass(frozen=True)
class Curve:
    """Part of the curve."""

    first_frame: int  # counted in those of the curve
    probability: Floats  # `[N]` of the first of two labels, or, of more, `[N, K]`
    log_mel: Floats | None  # `[N, M]`


Event = Begun | Curve | Moment | Summary
Due = tuple[Mapping[int, Floats], HeardPiece | None]  # frames, their excerpts, and whose pass knows them


async def explain_track(call: Call, question: TrackQuestion, chunks: AsyncIterator[bytes]) -> AsyncGenerator[Event]:
    """Hears and explains a track; what is known when the deadline comes is summed up shortly before.

    Args:
        call: what answers.
        question: what is asked.
        chunks: the sound.

    Raises:
        InvalidRequest: the bundle has no such rule, or the sound cannot be read.
        NotInBundle: the bundle lacks what is asked for.
        RequestError: see `Decoder.flow` and `Engine.infer`.
    """
    call = replace(call, deadline=_early(call))
    track = _Track(call, question)
    begun = False
    complete = True
    try:
        async with aclosing(await pieces_of(call, question, chunks)) as pieces:
            async for piece in pieces:
                if not begun:
                    begun = True
                    yield Begun(track.rule, track.decision, track.naming, piece.duration_s)
                async with aclosing(track.hear(piece)) as events:
                    async for event in events:
                        yield event
        async with aclosing(track.end()) as events:
            async for event in events:
                yield event
    except DeadlinePassed:
        if not begun:
            raise
        complete = False
    yield track.summary(complete=complete)


class _Track:
    """One track on its way."""

    def __init__(self, call: Call, question: TrackQuestion) -> None:
        listener, front_end = call.listener, call.listener.front_end
        self._call, self._question = call, question
        listen = question.outside_db is not None
        self.rule = rule_for(listener, question.rule, question.label, question.contrast, listen=listen)
        self.naming = naming_of(listener, question.label)
        self.decision = question.decision or Decision(self.naming.threshold)
        self._explainer = Explainer(call, question, self.rule)
        first, moments = question.first_frame(listener), question.moments
        self._step = listener.predict_hop_frames or 1  # frames from one of the curve to the next
        self._decider = Decider(self.decision, self.naming, front_end.frames_per_second, first)
        self._chooser = Chooser(moments, front_end, self.naming.labels, first)
        self._extremes = [
            Extremes(count, sign, front_end, self._step)
            for count, sign in ((moments.most_certain, 1), (moments.least_certain, -1))
        ]
        self._kept: list[HeardPiece] = []  # of which a moment may still be chosen
        self._tally, self._heard_until = Tally(), first
        self._last: TrackPiece | None = None

    async def hear(self, piece: TrackPiece) -> AsyncGenerator[Event]:
        """The curve of a piece, and the explanations that are due."""
        self._take_on(piece)
        spectrogram, continues = self._question.spectrogram, self._last is not None
        if self._call.listener.predict_hop_frames is None:
            ahead = self._chooser.ahead(piece.first_frame, piece.end_frame)
            heard = await hear(self._call, self.rule, piece, ahead, spectrogram=spectrogram, continues=continues)
        else:
            heard = await hear_excerpts(self._call, piece, spectrogram=spectrogram, continues=continues)
        yield Curve(piece.first_frame // self._step, heard.probability, heard.log_mel)
        shares = self.naming.shares(heard.probability.reshape(len(heard.probability), -1))
        every_frame = np.repeat(shares, self._step, axis=0)[: piece.frames]
        ended = self._decider.push(every_frame)
        self._chooser.hear(self.naming.given(every_frame), ended, self._decider)
        for extremes in self._extremes:
            extremes.hear(piece, self.naming.certainty(shares))
        self._tally.frames += len(shares)
        self._last = piece
        self._kept.append(heard)
        self._tally.close(ended)
        horizon = self._chooser.horizon(self._decider)
        async with aclosing(self._explain(self._due(horizon))) as moments:
            async for moment in moments:
                yield moment
        self._heard_until = horizon

    async def end(self) -> AsyncGenerator[Event]:
        """What was waited with until the track has ended."""
        if self._last is None:
            return
        front_end = self._call.listener.front_end
        left = self._decider.end()
        self._tally.close(left)
        samples = self._last.first_sample + len(self._last.samples)
        self._chooser.end(left, samples / front_end.sample_rate_hz)
        found = {frame: samples for extremes in self._extremes for frame, samples in extremes.found().items()}
        due = [*self._due(self._last.end_frame), (dict(sorted(found.items())), None)]
        async with aclosing(self._explain(due)) as moments:
            async for moment in moments:
                yield moment
        self._heard_until = self._last.end_frame

    def summary(self, *, complete: bool) -> Summary:
        """What it all comes to."""
        if not complete:
            self._tally.close(self._decider.end())
            self._heard_until -= self._heard_until % self._step  # where the curve can be taken up again
        warnings = self._last.warnings if self._last else ()
        return self._tally.summary(self._heard_until, warnings, complete=complete)

    def _due(self, horizon: int) -> list[Due]:
        """What is chosen before a horizon, in order; lets go of the pieces before it."""
        frames, front_end, due = self._chooser.take(horizon), self._call.listener.front_end, list[Due]()
        for heard in self._kept:
            own = [frame for frame in frames if heard.piece.first_frame <= frame < heard.piece.end_frame]
            for is_passed, run in groupby(own, heard.passed.__contains__):
                excerpts = {frame: heard.piece.excerpt(frame, front_end) for frame in run}
                due.append((excerpts, heard if is_passed else None))
        self._kept = [each for each in self._kept if each.piece.end_frame >= horizon]  # the last may hold one more
        return due

    async def _explain(self, due: Sequence[Due]) -> AsyncGenerator[Moment]:
        """Explains moments, some at once."""

        async def explained(some: Due) -> list[Moment]:
            samples, heard = some
            excerpts = Excerpts(list(samples), np.stack(list(samples.values())))
            taken = heard.taken(excerpts.frames, self._call.listener.front_end) if heard else None
            return await self._explainer.explain(excerpts, taken)

        batches = _batches(due, rows_a_turn(self._call, self.rule, ROWS))
        async with aclosing(one_ahead(explained, batches)) as several:
            async for moments in several:
                for moment in moments:
                    self._tally.note(moment)
                    yield moment

    def _take_on(self, piece: TrackPiece) -> None:
        """Tells admission how much there is: all of it, or, where nobody knows, the next minute."""
        rate = self._call.listener.front_end.frames_per_second
        heard_s = (piece.first_frame - self._question.first_frame(self._call.listener)) / rate
        whole_s = piece.duration_s - self._question.from_s if piece.duration_s is not None else heard_s + SLICE_S
        self._call.work.measure(max(whole_s, heard_s + piece.frames / rate))


def _batches(due: Sequence[Due], rows: int) -> Iterator[Due]:
    """At most so many moments at once; where nothing sounds, there is nothing to point at."""
    for samples, heard in due:
        sounding = [(frame, excerpt) for frame, excerpt in samples.items() if peak(excerpt) >= SILENT_PEAK]
        for first in range(0, len(sounding), rows):
            yield dict(sounding[first : first + rows]), heard


def _early(call: Call) -> float | None:
    """The deadline of all but the summary."""
    left_s = call.left_s
    return None if call.deadline is None else call.deadline - min(LAST_S, LAST_SHARE * left_s)

"""What is known of a song along its length: curve, segments and log-mel, kept as they arrive, for all who follow."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope_client.aio import Client
from phonoscope_client.results.parts import Floats
from phonoscope_client.results.track import CurvePiece, TrackBegun, TrackSummary
from phonoscope_client.results.wording import warning
from phonoscope_client.studio.shelf.arriving import Arriving
from phonoscope_client.studio.shelf.levels import Levels
from phonoscope_client.studio.shelf.segments import Segments

MEDIAN_S = 0.8  # smoothing before segments are made, as the detector was judged
_DECIMALS = 4  # of probabilities on their way to the page
_CHANGED_DB = 1.0  # of the loudest bin, from which on tiles are to be drawn anew

Part = Mapping[str, Any]


class Hearing:
    """One song, heard by the listener that hears songs whole. Nobody follows: it ends, and frees its place.

    Args:
        client: what is asked.
        song: its file, or what is still arriving of it: it is heard meanwhile.
        levels_path: of a file for its log-mel, which may be made.
        labels: the listener's.
    """

    def __init__(self, client: Client, song: Path | Arriving, levels_path: Path, labels: tuple[str, ...]) -> None:
        self._client, self._song, self._levels_path, self._labels = client, song, levels_path, labels
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._followers = 0
        self.begun: TrackBegun | None = None
        self.levels: Levels | None = None
        self._parts: list[Part | CurvePiece] = []
        self._is_whole = False

    async def follow(self) -> AsyncGenerator[Part]:
        """Its parts, those that are known first.

        Raises:
            PhonoscopeError: the service does not go on; whoever follows again begins anew.
        """
        self._followers += 1
        try:
            task, parts = self._hearing()
            for at in itertools.count():
                while at >= len(parts) and not task.done():
                    await self._news.wait()
                if at >= len(parts):
                    await task  # raises what it ended in
                    return
                yield _told(parts[at])
        finally:
            self._followers -= 1
            if not self._followers and not self._is_whole and self._task is not None:
                self._task.cancel()
                self._task = None

    @property
    def is_going_on(self) -> bool:
        """Whether the song is being heard now."""
        return self._task is not None and not self._task.done()

    def begin(self) -> None:
        """Begins before anybody follows, who will soon; it goes on to its end where nobody does."""
        self._hearing()

    def _hearing(self) -> tuple[asyncio.Task[None], list[Part | CurvePiece]]:
        """The work that is going on, and what it has come to; begun anew where there is none."""
        if self._task is None:
            if self.levels is not None:
                self.levels.close()
            self.begun, self.levels, self._parts = None, None, []
            self._task = asyncio.create_task(self._hear(), name="hearing")
            self._task.add_done_callback(self._ended)
        return self._task, self._parts

    def curve(self) -> Floats:
        """`[n]` probabilities so far."""
        pieces = [each.probability for each in self._parts if isinstance(each, CurvePiece)]
        return np.concatenate([np.zeros(0, np.float32), *pieces])

    async def close(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.levels is not None:
            self.levels.close()

    async def _hear(self) -> None:
        try:
            segments = None
            song, size_bytes = self._song, None
            if isinstance(song, Arriving):
                song, size_bytes = (song.path, None) if song.is_whole else (song, song.size_bytes)
            async with self._client.explain_track(
                song, size_bytes=size_bytes, trust="none", spectrogram=True, median_filter_s=MEDIAN_S
            ) as parts:
                async for part in parts:
                    match part:
                        case TrackBegun():
                            segments = self._begin(part)
                        case CurvePiece():
                            assert segments is not None
                            self._take(part, segments)
                        case TrackSummary():
                            assert segments is not None
                            self._end(part, segments)
                    self._tell()
        finally:
            if not self._is_whole and self._task is asyncio.current_task():
                self._task = None  # the next who follows begins anew

    def _begin(self, begun: TrackBegun) -> Segments:
        self.begun, self.levels = begun, Levels(self._levels_path, len(begun.band_centre_hz))
        self._told_db = 0.0
        self._parts.append(
            {
                "kind": "start",
                "frames_per_second": begun.frames_per_second,
                "frames": round((begun.duration_s or 0) * begun.frames_per_second) or None,
                "mels": len(begun.band_centre_hz),
                "mel_hz": [round(float(each), 2) for each in begun.band_centre_hz],
                "threshold": begun.decision_threshold,
                "label": self._labels[0],
                "labels": list(self._labels),
            }
        )
        return Segments(self._labels, begun.frames_per_second, begun.decision_threshold, MEDIAN_S)

    def _take(self, piece: CurvePiece, segments: Segments) -> None:
        assert self.levels is not None
        assert piece.log_mel is not None
        self.levels.append(piece.log_mel)
        self._parts.append(replace(piece, log_mel=None))
        if self.levels.loudest_db > self._told_db + _CHANGED_DB:
            self._told_db = self.levels.loudest_db
            self._parts.append({"kind": "levels", "loudest_db": round(self._told_db, 2)})
        self._parts.extend(segments.decided(piece.probability))

    def _end(self, summary: TrackSummary, segments: Segments) -> None:
        self._is_whole = True
        self._parts.extend(segments.rest(summary.segments))
        warnings = [f"{warning(each).capitalize()}. {each.sentence}" for each in summary.warnings]
        self._parts.append(
            {"kind": "end", "complete": summary.complete, "warnings": warnings, "seconds": summary.seconds}
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # whoever follows is told; where nobody does, nobody need be
        self._tell()

    def _tell(self) -> None:
        """Wakes all who follow."""
        self._news.set()
        self._news = asyncio.Event()


def _told(part: Part | CurvePiece) -> Part:
    """A part as JSON; of the curve numbers are kept, which take a tenth of the room."""
    if not isinstance(part, CurvePiece):
        return part
    values = [round(float(each), _DECIMALS) for each in part.probability]
    return {"kind": "curve", "first_frame": part.first_frame, "probability": values}

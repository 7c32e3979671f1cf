"""The parts of a question about a track, in the order they must have."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from phonoscope.v1 import track_pb2

from phonoscope_serving.errors import InvalidRequest

Parts = AsyncIterator[track_pb2.ExplainTrackRequest]


async def settings_of(parts: Parts) -> track_pb2.TrackSettings:
    """The settings, which come first.

    Raises:
        InvalidRequest: they do not.
    """
    first = await anext(parts, None)
    if first is None or not first.HasField("settings"):
        raise InvalidRequest.at("settings", "is missing: it comes first, and the sound behind it")
    return first.settings


async def chunks_of(parts: Parts) -> AsyncGenerator[bytes]:
    """The sound behind them.

    Raises:
        InvalidRequest: there are settings among it.
    """
    async for part in parts:
        if part.HasField("settings"):
            raise InvalidRequest.at("settings", "comes a second time; a call is about one track")
        yield part.chunk

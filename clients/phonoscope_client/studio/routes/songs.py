"""Songs: which there are, more of them, and what there is to hear and see of each."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from phonoscope_client.studio.shelf.levels import TILE_FRAMES
from phonoscope_client.studio.studio import song_of, studio_of
from phonoscope_client.studio.web.bodies import bounded, lines
from phonoscope_client.studio.web.failures import told

_MOST_TILES = 10**6
_HALVINGS = frozenset(map(str, range(9)))  # of the most a tile is of 65 536 frames, a quarter of an hour
_TILE_RETRY_S = 0.3


async def listed(request: Request) -> JSONResponse:
    """All songs."""
    return JSONResponse([song.to_json() for song in studio_of(request).shelf])


async def dropped(request: Request) -> JSONResponse:
    """One more song, of what is sent."""
    length, shelf = request.headers.get("content-length", ""), studio_of(request).shelf
    size_bytes = int(length) if re.fullmatch(r"\d{1,18}", length) else None
    if size_bytes is not None and size_bytes > shelf.room_bytes:
        message = f"The song is larger than {shelf.room_bytes / 2**30:.2g} GiB, for which there is room."
        return told(413, f"{message} Start the studio with its path instead: phonoscope studio SONG.")
    name = request.query_params.get("name", "") or "a song without a name"
    song = await shelf.receive(bounded(request, shelf.room_bytes, "The song"), name, size_bytes or None)
    return JSONResponse(song.to_json(), 201)


async def audio(request: Request) -> Response:
    """The recording, in a form that browsers play; any stretch of it."""
    song = song_of(request)
    as_it_is = request.query_params.get("form") != "copy"
    found = await asyncio.to_thread(song.sound.played, as_it_is=as_it_is)
    if found is None:
        return told(422, "Nothing in this file can be made into sound that a browser plays.")
    return FileResponse(found.path, media_type=found.media_type)


async def peaks(request: Request) -> JSONResponse:
    """The waveform: lowest and highest sample of each stretch, 127 for full scale."""
    song = song_of(request)
    await studio_of(request).shelf.decode(song)
    per_second, drawn = await asyncio.to_thread(song.sound.peaks)
    return JSONResponse({"per_second": per_second, "low": drawn[:, 0].tolist(), "high": drawn[:, 1].tolist()})


async def track(request: Request) -> StreamingResponse:
    """What is said along the song, as it becomes known."""
    asked = request.query_params
    return lines(song_of(request).curves.follow(asked.get("listener") or None, asked.get("label") or None))


async def tile(request: Request) -> Response:
    """Frames of the model's log-mel, or the loudest of several; of those yet to be heard, when to ask again."""
    levels, number = song_of(request).hearing.levels, request.path_params["number"]
    halvings = request.query_params.get("halvings", "0")
    if number > _MOST_TILES or halvings not in _HALVINGS:
        return told(404, "There is no such tile.")
    if levels is None or levels.frames <= number * TILE_FRAMES << int(halvings):
        return told(404, "The model has not heard that far yet.", retry_after_s=_TILE_RETRY_S)
    values = levels.tile(number, int(halvings))
    return Response(values.tobytes(), media_type="application/octet-stream")


ROUTES: list[Any] = [
    Route("/api/songs", listed, methods=["GET"]),
    Route("/api/songs", dropped, methods=["POST"]),
    Route("/api/songs/{song}/audio", audio),
    Route("/api/songs/{song}/peaks", peaks),
    Route("/api/songs/{song}/track", track),
    Route("/api/songs/{song}/tiles/{number:int}", tile),
]

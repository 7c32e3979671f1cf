"""Moments: why here, what layers keep of it, and what features hear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phonoscope_client.errors import BusyError
from phonoscope_client.studio.moments import features, why
from phonoscope_client.studio.moments.features import Heard
from phonoscope_client.studio.studio import song_of, studio_of
from phonoscope_client.studio.web.bodies import question
from phonoscope_client.studio.web.leaving import unless_left

_WANTED = "seconds from the song's start, such as 34.5"
_MOST_FEATURES = 64
_PATIENCE_S, _LEAST_PAUSE_S = 30.0, 0.2


async def explain(request: Request) -> JSONResponse:
    """Why the listener answers as it does, at a moment or over a passage."""
    studio, song = studio_of(request), song_of(request)
    asked, passage = why.moment(await question(request), song, studio.bundle)
    began_s = time.perf_counter()
    explanation = await unless_left(request, why.ask(studio.client, song, asked))
    seconds = time.perf_counter() - began_s
    answer = why.Why(song, asked, explanation, passage)
    return JSONResponse(why.to_json(studio.whys.keep(answer), answer, studio.grid, seconds))


async def explanation_sound(request: Request) -> Response:
    """A sound of an explanation."""
    studio = studio_of(request)
    answer = studio.whys.get(request.path_params["number"])
    return await _sound(request, partial(why.sound, studio.client, answer, request.path_params["kind"]))


async def nearest(request: Request) -> JSONResponse:
    """Excerpts of the bundle's own music that the listener answered alike for; none where it knows none."""
    studio = studio_of(request)
    answer = studio.whys.get(request.path_params["number"])
    listener = answer.asked.listener.name
    if listener in studio.without_examples:
        return JSONResponse({"nearest": []})
    found = await unless_left(request, why.nearest(studio.client, answer))
    if found is None:
        studio.without_examples.add(listener)
    return JSONResponse({"nearest": found or []})


async def invert(request: Request) -> JSONResponse:
    """What every layer keeps."""
    studio, song, asked = studio_of(request), song_of(request), await question(request)
    heard = Heard(song, asked.number("at_s", _WANTED), why.chosen(asked, studio.bundle))
    found = await unless_left(request, features.inversions(studio.client, heard, listen=False))
    return JSONResponse(features.inversions_json(studio.inversions.keep(heard), heard, found))


async def inversion_sound(request: Request) -> Response:
    """How a layer's inversion sounds."""
    studio = studio_of(request)
    heard = studio.inversions.get(request.path_params["number"])
    return await _sound(request, partial(features.inversion_sound, studio.client, heard, request.path_params["kind"]))


async def auralise(request: Request) -> JSONResponse:
    """What the features of a layer hear that answer most."""
    studio, song, asked = studio_of(request), song_of(request), await question(request)
    listener, layer = why.chosen(asked, studio.bundle), asked.required("layer")
    heard = Heard(song, asked.number("at_s", _WANTED), listener, layer)
    count = max(1, asked.whole("count", 8, _MOST_FEATURES))
    found = await unless_left(request, features.auralisation(studio.client, heard, strongest=count, listen=False))
    heard.features = tuple(each.feature for each in found.features.values())
    return JSONResponse(features.auralisation_json(studio.auralisations.keep(heard), heard, found))


async def feature_sound(request: Request) -> Response:
    """How a feature sounds."""
    studio = studio_of(request)
    heard = studio.auralisations.get(request.path_params["number"])
    return await _sound(request, partial(features.feature_sound, studio.client, heard, request.path_params["kind"]))


async def _sound(request: Request, make: Callable[[], Awaitable[bytes | None]]) -> Response:
    sound = await patiently(make)
    if sound is None:
        raise HTTPException(404, f"There is no sound {request.path_params['kind']!r} of this answer.")
    return ranged(request, sound)


async def patiently(make: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
    """A sound; a busy service is asked again, for players do not ask twice."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await make()
        except BusyError as busy:
            if time.monotonic() > give_up_s:
                raise
            await asyncio.sleep(max(_LEAST_PAUSE_S, busy.retry_after_s))


def ranged(request: Request, sound: bytes) -> Response:
    """A sound, or the stretch of it that is asked for, as players do to move in it."""
    headers = {"accept-ranges": "bytes"}
    first, _, last = request.headers.get("range", "").removeprefix("bytes=").partition("-")
    if not first.isdecimal() or not (last.isdecimal() or not last):
        return Response(sound, media_type="audio/wav", headers=headers)
    begin, end = int(first), min(int(last) if last else len(sound) - 1, len(sound) - 1)
    if begin > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(sound)}"})
    headers["content-range"] = f"bytes {begin}-{end}/{len(sound)}"
    return Response(sound[begin : end + 1], 206, media_type="audio/wav", headers=headers)


ROUTES: list[Any] = [
    Route("/api/songs/{song}/explain", explain, methods=["POST"]),
    Route("/api/explanations/{number}/sounds/{kind}", explanation_sound),
    Route("/api/explanations/{number}/nearest", nearest),
    Route("/api/songs/{song}/invert", invert, methods=["POST"]),
    Route("/api/inversions/{number}/sounds/{kind}", inversion_sound),
    Route("/api/songs/{song}/auralise", auralise, methods=["POST"]),
    Route("/api/auralisations/{number}/sounds/{kind}", feature_sound),
]

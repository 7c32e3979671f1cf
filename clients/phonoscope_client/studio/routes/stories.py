"""Stories: made of what was pinned and kept, and fetched as files."""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from phonoscope_client.studio.moments.growth import Grown
from phonoscope_client.studio.moments.story import MOST_MOMENTS, MOST_UNITS, story, words
from phonoscope_client.studio.studio import Studio, studio_of
from phonoscope_client.studio.web.bodies import MOST_STORY_BYTES, Question, question

# A story is somebody's own file once it is saved; opened from here, it may do nothing but show itself.
_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; media-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)


async def told(request: Request) -> JSONResponse:
    """Makes a story."""
    studio, asked = studio_of(request), await question(request, MOST_STORY_BYTES)
    moments = [
        (studio.whys.get(each.required("id")), words(each, "note")) for each in asked.several("pins", MOST_MOMENTS)
    ]
    units = [_unit(studio, each) for each in asked.several("kept", MOST_UNITS)]
    title = words(asked, "title", "A story")[:200]
    made = await story(studio.client, title, words(asked, "notes"), moments, units)
    return JSONResponse({"id": studio.stories.keep(made)}, 201)


def _unit(studio: Studio, kept: Question) -> tuple[Grown, str]:
    """A unit by its number, or by the address of its sound; and what it is called."""
    number = kept.text("id") or kept.required("sound").removeprefix("/api/units/").removesuffix("/sound")
    grown = studio.units.get(number)
    return grown, words(kept, "name", grown.found.response)[:200]


async def fetched(request: Request) -> Response:
    """A story as a file."""
    name = request.path_params["file"]
    found = re.fullmatch(r"([\w-]+)\.(html|json)", name)
    if found is None:
        raise HTTPException(404, "A story ends in .html or .json.")
    made = studio_of(request).stories.get(found[1])
    if found[2] == "json":
        return _file(made.json, "application/json", "story.json")
    return _file(made.html, "text/html", "story.html")


def _file(text: str, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-security-policy": _POLICY}
    content = text.encode("utf-8", "backslashreplace")
    return Response(content, media_type=f"{media_type}; charset=utf-8", headers=headers)


ROUTES: list[Any] = [
    Route("/api/story", told, methods=["POST"]),
    Route("/api/story/{file}", fetched),
]

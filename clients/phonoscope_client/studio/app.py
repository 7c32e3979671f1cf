"""The studio's application: its page, and what the page may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from phonoscope_client.errors import PhonoscopeError
from phonoscope_client.studio.routes import moments, songs, stories, units
from phonoscope_client.studio.studio import Studio
from phonoscope_client.studio.web.failures import answer_error, answer_http, answer_left
from phonoscope_client.studio.web.guard import Guard

PAGE = Path(__file__).parent / "page"


def application(studio: Studio, *, token: str, names: Iterable[str], cookie: str) -> Starlette:
    """The application of one studio.

    Args:
        studio: what it holds.
        token: what the address must say that is opened first.
        names: `host:port` by which it may be asked.
        cookie: name of the cookie that stands for the token from then on.
    """
    made = Starlette(
        routes=_routes(),
        middleware=[Middleware(Guard, token=token, names=names, cookie=cookie)],
        exception_handlers={PhonoscopeError: answer_error, HTTPException: answer_http, ClientDisconnect: answer_left},
    )
    made.state.studio = studio
    return made


def _routes() -> list[Any]:
    return [
        Route("/", _index),
        Mount("/page", StaticFiles(directory=PAGE)),
        *songs.ROUTES,
        *moments.ROUTES,
        *units.ROUTES,
        *stories.ROUTES,
    ]


async def _index(_: Request) -> FileResponse:
    return FileResponse(PAGE / "index.html")

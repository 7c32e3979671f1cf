"""What the page sends and is sent: JSON of a bounded size, and answers that come line by line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse

from phonoscope_client import arguments
from phonoscope_client.errors import PhonoscopeError, invalid
from phonoscope_client.studio.web.failures import described

MOST_QUESTION_BYTES = 2**16
MOST_STORY_BYTES = 2**24


class Question:
    """A JSON object that the page sent; each value is checked as it is asked for."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        """Whether there is such a field, and something in it."""
        return self._fields.get(name) not in (None, "")

    def text(self, name: str) -> str | None:
        """A name; None where there is none."""
        return arguments.text(name, self._fields[name]) if self.has(name) else None

    def required(self, name: str) -> str:
        """A name that must be there."""
        return arguments.text(name, self._fields.get(name))

    def number(self, name: str, wanted: str) -> float:
        """A finite number that must be there."""
        return arguments.number(name, self._fields.get(name), wanted)

    def whole(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 on."""
        return arguments.whole_number(name, self._fields.get(name, default), 0, most + 1)

    def several(self, name: str, most: int) -> list[Question]:
        """Some objects."""
        found = self._fields.get(name, [])
        if not isinstance(found, list) or len(found) > most or not all(isinstance(each, dict) for each in found):
            raise invalid(name, f"give a list of at most {most} objects")
        return [Question(each) for each in found]

    def given(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """What there is, unchecked."""
        return self._fields.get(name)


async def question(request: Request, most_bytes: int = MOST_QUESTION_BYTES) -> Question:
    """The JSON object in a request.

    Raises:
        HTTPException: it is too long, none at all, or no JSON object.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "Send JSON, as application/json.")
    body = b"".join([chunk async for chunk in bounded(request, most_bytes, "The question")])
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, f"That is no JSON: {error}") from error
    except RecursionError as error:
        raise HTTPException(400, "That JSON is nested too deeply.") from error
    if not isinstance(fields, dict):
        raise HTTPException(400, "Send a JSON object.")
    return Question(fields)


async def bounded(request: Request, most_bytes: int, what: str) -> AsyncIterator[bytes]:
    """What is sent, as it comes.

    Raises:
        HTTPException: it is longer than that.
    """
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > most_bytes:
            raise HTTPException(413, f"{what} is larger than {most_bytes / 2**20:g} MiB, the most that is taken.")
        if chunk:
            yield chunk


def lines(parts: AsyncIterator[Mapping[str, Any]]) -> StreamingResponse:
    """An answer of lines of JSON, each sent as it comes; what goes wrong on the way is the last of them."""

    async def written() -> AsyncIterator[bytes]:
        async with aclosing(parts) as asked:  # type: ignore[type-var]  # a generator, as all of them are
            try:
                async for part in asked:
                    yield line(part)
            except PhonoscopeError as error:
                yield line({"kind": "error", **described(error)})

    return StreamingResponse(written(), media_type="application/x-ndjson")


def line(part: Mapping[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(part, separators=(",", ":")).encode() + b"\n"

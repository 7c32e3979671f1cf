"""Who is let in: the page that this studio opened itself, and nothing else that a browser may have open.

A random token in the address becomes a cookie, which no other site can send; the name the server is asked by must be
its own, so that no foreign name that leads here (DNS rebinding) is answered; and what another page asks is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from phonoscope_client.studio.web.failures import told

# wavesurfer.js puts one style sheet into its shadow root; all other style and every script is a file of this server.
WAVEFORM_STYLE = "'sha256-XGW/cX2BkTPWNNT3NdyASrPEWZfPnKdPJaJ2aN7R+v8='"
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {WAVEFORM_STYLE}; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_STRANGER = "This studio opens with the address that it printed when it was started, token and all; open that one."


class Guard:
    """Answers for an application, or refuses in its stead.

    Args:
        app: what is guarded.
        token: what the address says that is opened first.
        names: `host:port` by which the server may be asked.
        cookie: name of the cookie that stands for the token from then on.
    """

    def __init__(self, app: ASGIApp, *, token: str, names: Iterable[str], cookie: str) -> None:
        self._app, self._token, self._names, self._cookie = app, token, frozenset(names), cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets in or refuses one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        response = self._refusal(scope) or self._admission(scope)
        await (response or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """What is answered to a foreign name or page; None to others."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._names:
            return told(403, f"This studio does not go by the name {host!r}; open the address that it printed.")
        if origin is not None and origin not in {f"http://{name}" for name in self._names}:
            return told(403, "Another page asked; this studio answers its own page alone.")
        foreign = headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
        if foreign and headers.get("sec-fetch-mode") != "navigate":
            return told(403, "Another page asked; this studio answers its own page alone.")
        return None

    def _admission(self, scope: Scope) -> Response | None:
        """A cookie for the right token, and a refusal for none at all; None to who was let in before."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and given and self._is_token(given):
            entry = RedirectResponse("/", 303)
            entry.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return entry
        if self._is_token(cookie_parser(Headers(scope=scope).get("cookie", "")).get(self._cookie, "")):
            return None
        return PlainTextResponse(_STRANGER, 403) if scope["path"] == "/" else told(403, _STRANGER)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())

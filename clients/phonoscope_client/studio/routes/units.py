"""What is asked about no song: what is served, and what its units want to hear."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from phonoscope_client.results.bundle import AudibleNetwork, Bundle, Listener
from phonoscope_client.results.response import OUTPUT
from phonoscope_client.studio.moments.growth import MOST_STEPS, Unit, grown_sound, growth
from phonoscope_client.studio.moments.why import chosen, excerpt_s
from phonoscope_client.studio.routes.moments import patiently, ranged
from phonoscope_client.studio.studio import studio_of
from phonoscope_client.studio.web.bodies import lines, question

_STEPS = 100
_MOST_CHANNEL = 2**31


async def bundle(request: Request) -> JSONResponse:
    """What is served, and what each listener can be asked."""
    studio = studio_of(request)
    served = studio.bundle
    audible = {each.network: each for each in served.audible}
    return JSONResponse(
        {
            "bundle": served.name,
            "digest": served.digest,
            "server": studio.server,
            "listeners": [_listener(each, audible.get(each.name), served) for each in served.listeners],
        }
    )


def _listener(listener: Listener, audible: AudibleNetwork | None, served: Bundle) -> dict[str, Any]:
    return {
        "name": listener.name,
        "labels": list(listener.labels),
        "decision": listener.decision,
        "thresholds": listener.thresholds,
        "rules": [
            {"name": each.name, "alpha": each.default_alpha, "explains_any_label": each.explains_any_label}
            for each in listener.rules
        ],
        "layers": _layers(listener, audible),
        "excerpt_s": excerpt_s(listener),
        "hears_whole": listener is served.listeners[0],
        "has": {
            "explain": "Explain" in listener.rpcs,
            "contrast": any(each.explains_any_label for each in listener.rules),
            "nearest": "Explain" in listener.rpcs,  # as far as is known before it is asked
            "invert": any(each.invertible for each in listener.layers),
            "auralise": audible is not None,
            "maximise": "Maximise" in listener.rpcs,
        },
    }


def _layers(listener: Listener, audible: AudibleNetwork | None) -> list[dict[str, Any]]:
    heard = audible.layers if audible else {}
    can_grow = "Maximise" in listener.rpcs
    made = [
        {
            "name": each.name,
            "features": each.shape[0],
            "kind": "maps" if len(each.shape) > 1 else "units",
            "can": [
                *(["invert"] if each.invertible else []),
                *(["auralise"] if each.name in heard else []),
                *(["maximise"] if can_grow else []),
            ],
        }
        for each in listener.layers
    ]
    named = {each.name for each in listener.layers}
    made += [
        {"name": name, "features": features, "kind": "maps", "can": ["auralise"]}
        for name, features in heard.items()
        if name not in named
    ]
    output = {"name": OUTPUT, "features": 1, "kind": "output", "can": ["maximise"]}
    return [*made, *([output] if can_grow else [])]


async def maximise(request: Request) -> StreamingResponse:
    """A unit that grows, step by step, for as long as the page listens."""
    studio, asked = studio_of(request), await question(request)
    layer = asked.required("layer")
    unit = Unit(
        listener=chosen(asked, studio.bundle).name,
        layer=layer,
        feature=asked.whole("feature", 0, _MOST_CHANNEL) if asked.has("feature") else None,
        steps=max(1, asked.whole("steps", _STEPS, MOST_STEPS)),
        direction="minimise" if asked.text("direction") == "minimise" else "maximise",
        seed=asked.whole("seed", 0, _MOST_CHANNEL),
    )
    return lines(growth(studio.client, unit, studio.units))


async def sound(request: Request) -> Response:
    """What a unit wants to hear, as sound."""
    studio = studio_of(request)
    made = await patiently(partial(grown_sound, studio.client, studio.units.get(request.path_params["number"])))
    if made is None:
        raise HTTPException(404, "This unit has no sound.")
    return ranged(request, made)


ROUTES: list[Any] = [
    Route("/api/bundle", bundle),
    Route("/api/maximise", maximise, methods=["POST"]),
    Route("/api/units/{number}/sound", sound),
]

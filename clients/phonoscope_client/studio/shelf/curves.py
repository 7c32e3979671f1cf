"""What those say along a song who do not hear songs whole: a curve, on the frames of the listener that does."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope_client.aio import Client
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.parts import Floats
from phonoscope_client.studio.shelf.hearing import Hearing

Part = Mapping[str, Any]


class Curves:
    """What other listeners say along one song.

    Args:
        client: what is asked.
        file: the song.
        bundle: whose listeners they are.
        hearing: what is heard of the song whole: its log-mel is what is shown, whoever listens.
    """

    def __init__(self, client: Client, file: Path, bundle: Bundle, hearing: Hearing) -> None:
        self._client, self._file, self._bundle, self._hearing = client, file, bundle, hearing
        self._known: dict[tuple[str, str | None], Curve] = {}

    async def follow(self, listener: str | None, label: str | None) -> AsyncGenerator[Part]:
        """The parts of what a listener says along the song; `Hearing.follow` has those of the first.

        Raises:
            PhonoscopeError: the service does not answer, or does not know them.
        """
        if listener in (None, self._bundle.listeners[0].name):
            async with aclosing(self._hearing.follow()) as parts:
                async for part in parts:
                    yield part
            return
        asked = (listener, label)
        async with aclosing(self._hearing.follow()) as parts:
            async for part in parts:
                if part["kind"] == "start":
                    if asked not in self._known:
                        self._known[asked] = await self._client.predict(self._file, listener=listener, label=label)
                    yield {**part, **_begun(self._known[asked])}
                    for each in _said(self._known[asked], part["frames_per_second"], part["frames"]):
                        yield each
                elif part["kind"] in {"levels", "end"}:
                    yield part

    def known(self, listener: str | None, label: str | None) -> tuple[Floats, float]:
        """Probabilities so far, and how many there are a second."""
        if listener in (None, self._bundle.listeners[0].name):
            begun = self._hearing.begun
            return self._hearing.curve(), begun.frames_per_second if begun else 1.0
        curve = self._known.get((listener, label))
        return (np.zeros(0, np.float32), 1.0) if curve is None else (curve.probability, curve.frames_per_second)


def _begun(curve: Curve) -> Part:
    labels = [str(each) for each in curve.labels] or [curve.label]
    return {"threshold": curve.threshold, "label": curve.label, "labels": labels}


def _said(curve: Curve, frames_per_second: float, frames: int | None) -> list[Part]:
    """The whole curve on other frames, each with what is said of its time, and stretches of one label."""
    count = frames or math.ceil(curve.duration_s * frames_per_second)
    at = np.minimum(
        (np.arange(count) / frames_per_second * curve.frames_per_second).astype(int), len(curve.probability) - 1
    )
    values = [round(float(each), 4) for each in curve.probability[at]]
    return [{"kind": "curve", "first_frame": 0, "probability": values}, *_segments(curve)]


def _segments(curve: Curve) -> list[Part]:
    if not len(curve.labels):
        return []
    best = curve.label_probability.argmax(axis=1)
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1), len(best)]
    rate = curve.frames_per_second
    return [
        {
            "kind": "segment",
            "start_s": float(start / rate),
            "end_s": float(end / rate),
            "label": str(curve.labels[best[start]]),
            "confidence": round(float(curve.label_probability[start:end, best[start]].mean()), 4),
        }
        for start, end in itertools.pairwise(edges)
    ]

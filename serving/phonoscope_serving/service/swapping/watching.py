"""Looks for a new bundle where the one that is served came from, and has it take the other's place.

An operator puts a bundle into a folder of its own, and then lets the link that the service was given point to it; the
name of a link is replaced at once or not at all, which cannot be said of the files of a folder.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from phonoscope_serving.bundle.manifest import MANIFEST
from phonoscope_serving.errors import ServingError
from phonoscope_serving.metrics import Metrics

LOG = logging.getLogger("phonoscope.server")
LOOK_S = 1.0  # between two looks


class Mark(NamedTuple):
    """What tells one manifest from another without reading it."""

    folder: Path  # links followed
    inode: int
    size: int
    changed_ns: int


def mark(root: Path) -> Mark | None:
    """That of the manifest in a folder; None where there is none, as while one is moved away.

    Args:
        root: folder, or link to one.
    """
    try:
        folder = root.resolve(strict=True)
        found = (folder / MANIFEST).stat()
    except OSError:
        return None
    return Mark(folder, found.st_ino, found.st_size, found.st_mtime_ns)


async def watch(root: Path, seen: Mark | None, take: Callable[[Path], Awaitable[bool]], metrics: Metrics) -> None:
    """Takes every new bundle once; runs until it is cancelled.

    Whatever is wrong with a bundle, the one before it goes on. It is looked at again when its manifest has changed.

    Args:
        root: folder, or link to one.
        seen: mark of the bundle that is served.
        take: has the bundle of a folder answer; whether it was another one. Raises what is wrong with it.
        metrics: where swaps are counted.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        found = await asyncio.to_thread(mark, root)
        if found is None or found == seen:
            continue
        seen = found
        try:
            if await take(found.folder):
                metrics.bundle_swaps.labels("done").inc()
            metrics.bundle_refused.set(0)
        except Exception as error:
            metrics.bundle_swaps.labels("refused").inc()
            metrics.bundle_refused.set(1)
            fields = {"folder": str(found.folder), "reason": str(error) or type(error).__name__}
            LOG.error("a new bundle is refused; the old one goes on", extra=fields)
            if not isinstance(error, ServingError):
                LOG.error("it failed with", exc_info=error)

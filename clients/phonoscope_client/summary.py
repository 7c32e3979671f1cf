"""What a command says of one moment of a song, as one JSON document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from phonoscope_client.auralisations import Auralisation
from phonoscope_client.explanations import Explanation
from phonoscope_client.inversions import Inversions

Answer = TypeVar("Answer", Explanation, Inversions, Auralisation)


def summary(
    song: Path,
    result: Answer,
    write: Callable[[Path, Path, Answer], dict[str, str]],
    out: Path | None,
    started_s: float,
) -> dict[str, Any]:
    """An answer as one JSON document, written beside its files where a folder is given.

    Args:
        song: the recording.
        result: what was answered.
        write: writes the answer's files into a folder, and names them.
        out: the folder; None writes nothing.
        started_s: when the command began, on the monotonic clock.
    """
    files = {} if out is None else write(out, song, result)
    seconds = round(time.monotonic() - started_s, 3)
    document = {"song": str(song), **result.to_json(), "files": files, "seconds_after_install": seconds}
    if out is not None:
        (out / "summary.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return document

"""What a command leaves of an answer: sounds beside its other files, and all of it as one JSON document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from phonoscope_client.files import printable, write_bytes, write_text
from phonoscope_client.results.parts import Waveform, wav


def must_be_able_to_draw(out: Path | None) -> None:
    """Refuses a folder where no pages can be made for it, before a service is started.

    Raises:
        MissingExtraError: a folder is given, and the extra `report` is not installed.
    """
    if out is not None:
        import_module("phonoscope_client.reports")


def summary(
    answer: Mapping[str, Any], write: Callable[[Path], Mapping[str, Path]], out: Path | None, started_s: float
) -> dict[str, Any]:
    """An answer as one JSON document, written beside its files where a folder is given.

    Args:
        answer: what there is to say of it.
        write: writes the answer's other files into a folder, which is there, and names them.
        out: the folder; None writes nothing.
        started_s: when the command began, on the monotonic clock.
    """
    if out is None:
        return {**answer, "files": {}, "seconds_after_install": _since(started_s)}
    out.mkdir(parents=True, exist_ok=True)
    files = {**write(out), "summary": out / "summary.json"}
    document = {
        **answer,
        "files": {name: printable(path) for name, path in files.items()},
        "seconds_after_install": _since(started_s),
    }
    write_text(files["summary"], json.dumps(document, indent=2) + "\n")
    return document


def write_sounds(out: Path, sounds: Mapping[str, Waveform], gain_of: Callable[[str], float]) -> dict[str, Path]:
    """Write each sound as `NAME.wav`, made louder or softer by its gain; the files by `NAME_audio`."""
    files = {}
    for name, sound in sounds.items():
        files[f"{name}_audio"] = out / f"{name}.wav"
        write_bytes(files[f"{name}_audio"], wav(sound.samples, sound.sample_rate_hz, gain=gain_of(name)))
    return files


def _since(started_s: float) -> float:
    return round(time.monotonic() - started_s, 3)

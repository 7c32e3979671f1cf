"""Every format by the name people give it, and files of a track in some of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from phonoscope_client.errors import invalid
from phonoscope_client.exports import audacity, jams, lab, rttm, tables, textgrid
from phonoscope_client.files import write_text
from phonoscope_client.results.track import Track

# Name → what makes the files of it: a track and what to call the recording → name of each file, and its text.
FORMATS: Mapping[str, Callable[[Track, str], Mapping[str, str]]] = {
    "csv": tables.files,
    "audacity": audacity.files,
    "textgrid": textgrid.files,
    "rttm": rttm.files,
    "lab": lab.files,
    "jams": jams.files,
}


def must_be_known(formats: Collection[str]) -> None:
    """Refuses a format that there is none of, or that needs what is not installed, before anything is asked for.

    Raises:
        InvalidInputError: there is no such format.
        MissingExtraError: one needs an extra that is not installed.
    """
    for name in formats:
        if name not in FORMATS:
            raise invalid("export", f"{name!r} is no format; give some of {', '.join(FORMATS)}")
    if "jams" in formats:
        jams.must_be_installed()


def write(track: Track, song: str, formats: Collection[str], out: Path) -> dict[str, Path]:
    """Write a track in some formats into a folder, which is there; the files by their names.

    Raises:
        InvalidInputError: there is no such format.
        MissingExtraError: one needs an extra that is not installed.
    """
    must_be_known(formats)
    made = {name: text for each in dict.fromkeys(formats) for name, text in FORMATS[each](track, song).items()}
    for name, text in made.items():
        write_text(out / name, text)
    return {name: out / name for name in made}

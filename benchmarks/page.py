"""Tables of measured figures in a page of the docs, written by the programs that measure them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

Row = Sequence[str | float]


def table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """A table in Markdown; numbers to a hundredth."""
    written = [[f"{each:.2f}" if isinstance(each, float) else str(each) for each in row] for row in rows]
    right = [bool(written) and re.fullmatch(r"-?[\d.]+", row) is not None for row in written[0]]
    lines = [list(columns), ["---:" if number else "---" for number in right], *written]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(page: Path, name: str, text: str) -> None:
    """Puts text in its place in a page, between `<!-- NAME -->` and `<!-- end of NAME -->`.

    Raises:
        ValueError: the page has no such place.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not found or not ends:
        raise ValueError(f"{page} has no place for {name}: {begin} and {end} around it")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")

"""A catalogue as one HTML page: figures, and what to look at first, with links to reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from phonoscope_client.reports.page import page


def catalogue_page(summary: Mapping[str, Any], *, name: str) -> str:
    """The page of one catalogue.

    Args:
        summary: as `phonoscope summarise` writes it to `summary.json`.
        name: what to call the catalogue.
    """
    return page(
        "catalogue",
        title=f"{name}: a catalogue",
        heading=name,
        span_s=0.0,
        provenance=[
            (
                "Bundles",
                ", ".join(f"{bundle} ({files} files)" for bundle, files in summary["bundles"].items()) or "none",
            ),
            ("Asked for", ", ".join(summary["ask"])),
            ("Complete", "yes" if summary["complete"] else "no: files are missing"),
        ],
        said=summary,
    )

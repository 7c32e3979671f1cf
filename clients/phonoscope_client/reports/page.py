"""The shell of a report: one HTML file that needs nothing but itself, a template filled with plain values."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from phonoscope_client.results.parts import SoundWarning
from phonoscope_client.results.wording import clock, clock_exact, each_label, percent, spoken_of, warning

# Every value becomes text; markup is in the templates alone. A name that is not given is an error, not a gap.
_ENVIRONMENT = Environment(
    loader=ChoiceLoader([PackageLoader("phonoscope_client.reports", folder) for folder in ("templates", "assets")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {
    "clock": clock,
    "clock_exact": clock_exact,
    "warning": warning,
    "fixed": lambda number, decimals: f"{number:.{decimals}f}",
    "percent": percent,
    "spoken": spoken_of,
    "each_label": each_label,
    "share": lambda number, decimals=2: f"{number:.{decimals}%}",  # as CSS writes it
}


def page(
    template: str,
    *,
    title: str,
    heading: str,
    span_s: float,
    provenance: Sequence[tuple[str, str]],
    warnings: Sequence[SoundWarning] = (),
    **values: object,
) -> str:
    """A whole HTML document.

    Args:
        template: name of one that extends `base`.
        title: what the browser calls the page.
        heading: what the page calls itself.
        span_s: seconds the page's pictures span from left to right; its players' sound starts where they do.
        provenance: terms and values that say what made it.
        warnings: what is wrong with the recording.
        values: what else the template names.
    """
    filled = _ENVIRONMENT.get_template(f"{template}.html.j2")
    return filled.render(
        title=title, heading=heading, span_s=span_s, provenance=provenance, warnings=warnings, **values
    )

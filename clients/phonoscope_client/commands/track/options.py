"""The options of `phonoscope track`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from phonoscope_client.commands.song_options import (
    FORMATS,
    Group,
    add_listener,
    add_region,
    chosen_alpha,
    chosen_listener,
    seconds,
)
from phonoscope_client.commands.track import moments
from phonoscope_client.errors import invalid
from phonoscope_client.exports.formats import FORMATS as EXPORTS
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.results.track import TrackTrustLevel

LABEL = "the label to explain, whose curve is shown (default: the one that each moment is given)"
EVERY = moments.Moments(every_s=10.0)  # asked for where nothing is


def export_formats(text: str) -> tuple[str, ...]:
    """Names of formats between commas: "audacity,csv".

    Raises:
        argparse.ArgumentTypeError: one of them is none.
    """
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in EXPORTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no format; write some of {','.join(EXPORTS)}")
    return names


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope track`."""
    parser.add_argument("song", type=Path, metavar="SONG", help=f"{FORMATS}, of any length")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the page, arrays, JSON and exports")
    parser.add_argument(
        "--export",
        type=export_formats,
        default=(),
        metavar="FORMATS",
        help=f"with --out: files that other tools read, some of {','.join(EXPORTS)}",
    )
    parser.add_argument("--no-page", action="store_true", help="with --out: only JSON and exports, for long recordings")
    parser.add_argument(
        "--map-precision",
        choices=["float32", "float16"],
        default="float32",
        help="in which the page's pictures travel: float16 is half as much to send, and no eye tells (default: "
        "%(default)s)",
    )
    add_listener(parser, LABEL)
    moments_group = add_moments(parser)
    moments_group.add_argument(
        "--from", dest="from_s", type=seconds, default=0.0, metavar="TIME", help="go on from there (default: 0)"
    )
    add_segments(parser)
    add_region(parser)


def add_moments(parser: argparse.ArgumentParser) -> Group:
    """Which moments are explained, and how far each explanation is tried.

    Returns:
        The group of these options, for more of them.
    """
    group = parser.add_argument_group("moments", "which are explained, and how far each explanation is tried")
    group.add_argument(
        "--where",
        type=moments.parsed,
        action="append",
        metavar="WHERE",
        help=f"{moments.GRAMMAR}; repeat to add up (default: every:10s)",
    )
    group.add_argument(
        "--trust",
        choices=["none", "kept", "full"],
        help="nothing is tried; whether the region alone keeps the answer; also exchange with other music (default: "
        "the most that the bundle can)",
    )
    return group


def add_segments(parser: argparse.ArgumentParser) -> None:
    """How the curve becomes stretches of one label."""
    group = parser.add_argument_group("segments", "how the curve becomes stretches of one label")
    group.add_argument(
        "--median-s",
        type=float,
        default=0.8,
        metavar="S",
        help="smoothed by a median of so many seconds, 0 to 10 (default: %(default)g, as the detector was judged)",
    )
    group.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="the first of two labels, such as vocal, from this probability (default: the listener's own)",
    )
    group.add_argument(
        "--minimum-s", type=float, default=0.0, metavar="S", help="none is shorter than this (default: %(default)g)"
    )


def most_trust(bundle: Bundle, listener: str | None) -> TrackTrustLevel:
    """The most that a bundle can try on the regions of a listener: exchange, where it has other music for that."""
    named = next((each for each in bundle.listeners if each.name == listener), None)
    return "full" if (bundle if named is None else named).exchange else "kept"


def must_fit(bundle: Bundle, options: argparse.Namespace) -> None:
    """Refuses a listener, label or contrast that a bundle does not have, before many files are asked about it in vain.

    Raises:
        InvalidInputError: it does not have it, or one is missing.
    """
    if not bundle.listeners:
        return  # a service of before does not say
    known = {each.name: each for each in bundle.listeners}
    if options.listener not in (None, *known):
        raise invalid("--listener", f"there is no {options.listener!r}; the bundle has {', '.join(known)}")
    chosen = known.get(options.listener, bundle.listeners[0])
    labels = f"{chosen.name} has {', '.join(chosen.labels)}"
    for name in ("label", "contrast"):
        if (given := getattr(options, name)) not in (None, *chosen.labels):
            raise invalid(f"--{name}", f"there is no {given!r}; {labels}")
    if options.label is None and (chosen.decision == "multi-label" or options.contrast):
        raise invalid("--label", f"is missing; {labels}")


def asked(options: argparse.Namespace) -> dict[str, Any]:
    """The options of moments, segments and regions as `Client.explain_track` takes them."""
    return {
        **vars(moments.added_up(options.where or [EVERY])),
        "rule": options.rule,
        "alpha": chosen_alpha(options),
        "maximum_area": options.max_area,
        "masking": options.masking,
        "control_seed": options.control_seed,
        "median_filter_s": options.median_s,
        "threshold": options.threshold,
        "minimum_s": options.minimum_s,
        **chosen_listener(options),
    }

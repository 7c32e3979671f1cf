"""Which song a command is about, which moment of it, and how the region of an explanation is chosen."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from phonoscope_client.transport.audio import readable

Group: TypeAlias = "argparse._ArgumentGroup"  # argparse has no public name for what `add_argument_group` returns
FORMATS = "WAV, FLAC, MP3, AAC or ALAC in M4A, Ogg (Vorbis, Opus), WebM, Matroska, AIFF, CAF or W64"


def seconds(text: str) -> float:
    """A moment as seconds: "34", "34.5" or "1:02.5".

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    found = re.fullmatch(r"(?:(\d+):(?=[0-5]?\d(?:\.|$)))?(\d+(?:\.\d+)?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 34.5 or 1:02.5")
    return 60 * int(found[1] or 0) + float(found[2])


def add_moment(parser: argparse.ArgumentParser, *, default_s: float | None = None, where: str = "") -> None:
    """A song, a moment in it, and where to write what is said of that.

    Args:
        parser: added to.
        default_s: the moment, where none is given; None: one must be.
        where: what the moment is, for the help.
    """
    parser.add_argument("song", type=Path, metavar="SONG", help=f"{FORMATS}, of any length")
    parser.add_argument(
        "--at",
        dest="at_s",
        type=seconds,
        required=default_s is None,
        default=default_s,
        metavar="TIME",
        help=f"seconds, or minutes:seconds{where}",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report, sounds and arrays")


def add_listener(parser: argparse.ArgumentParser, label: str) -> None:
    """Who is asked, about which label.

    Args:
        parser: added to.
        label: what a label is for, for the help.
    """
    asked = parser.add_argument_group("listener", "see phonoscope describe")
    asked.add_argument("--listener", metavar="NAME", help="who is asked (default: the bundle's first)")
    asked.add_argument("--label", metavar="NAME", help=label)
    asked.add_argument("--contrast", metavar="NAME", help="another label, which that is compared with (default: none)")


NOBODY: Mapping[str, str] = {}  # is named: the bundle's first is asked


def chosen_listener(options: argparse.Namespace) -> dict[str, str]:
    """What the options say of that, as methods of `Client` take it."""
    named = {name: getattr(options, name) for name in ("listener", "label", "contrast")}
    return {name: value for name, value in named.items() if value is not None}


def add_region(parser: argparse.ArgumentParser, *, sound: bool = True) -> Group:
    """How a region is chosen and made to sound: by which rule, and how much of what that finds.

    Args:
        parser: added to.
        sound: whether there is an option for how regions sound.

    Returns:
        The group of these options, for more of them.
    """
    region = parser.add_argument_group("region", "at most one of the first three; else the rule's own alpha")
    choice = region.add_mutually_exclusive_group()
    choice.add_argument("--alpha", type=float, metavar="A", help="keep what has a relevance of A or more, 0 to 1")
    choice.add_argument("--keep-label", action="store_true", help="the largest alpha that keeps the answer")
    choice.add_argument("--max-area", type=float, metavar="X", help="at most this share of the excerpt, above 0 to 1")
    region.add_argument(
        "--rule",
        metavar="NAME",
        help="what says how relevant each bin is: masker, gradient, or inversion, the paper's (default: the bundle's)",
    )
    region.add_argument(
        "--masking",
        choices=["m1", "m2"],
        default="m1",
        help="masked bins become their band's mean (m1; default) or a raw log-mel of zero (m2)",
    )
    if sound:
        region.add_argument(
            "--outside-db",
            type=float,
            metavar="DB",
            help="how much softer everything else is in explanation.wav, 0 to 120 dB (default: 25)",
        )
    region.add_argument(
        "--control-seed",
        type=int,
        metavar="N",
        help="what random regions and other music are drawn from (default: hangs on the excerpt itself)",
    )
    return region


def chosen_alpha(options: argparse.Namespace) -> float | Literal["keep-label"] | None:
    """What the options say of alpha, as `Client.explain` takes it."""
    if options.keep_label:
        return "keep-label"
    alpha: float | None = options.alpha
    return alpha


def must_exist(song: Path) -> None:
    """Refuses a song that is not there, before a service is started for it.

    Raises:
        InvalidInputError: there is no such file, or it is a folder.
    """
    readable(song)

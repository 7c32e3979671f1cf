"""The `phonoscope` command."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from phonoscope_client import command_help, commands, maximisation_command
from phonoscope_client.commands import Connection, Features, Region
from phonoscope_client.errors import PhonoscopeError
from phonoscope_client.plain_text import auralisation_text, bundle_text, curve_text, explanation_text, inversions_text


def get_parser() -> argparse.ArgumentParser:
    """Every command and option."""
    parser = argparse.ArgumentParser(
        prog="phonoscope", description=command_help.DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands_parser = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, description, add_options) in _COMMAND_LINES.items():
        command = commands_parser.add_parser(
            name,
            help=summary,
            description=description,
            epilog=command_help.SERVICE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_options(command)
        _add_service_and_output(command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 where it succeeded, 1 where it failed and said why on standard error; a usage error exits with 2.
    """
    options = get_parser().parse_args(arguments)
    # Left to itself SIGTERM would end this program at once, and leave the service it started behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        _COMMANDS[options.command](options)
    except (PhonoscopeError, OSError) as error:
        print(f"phonoscope: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("phonoscope: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def seconds(text: str) -> float:
    """A moment as seconds: "34", "34.5" or "1:02.5".

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    found = re.fullmatch(r"(?:(\d+):(?=[0-5]?\d(?:\.|$)))?(\d+(?:\.\d+)?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 34.5 or 1:02.5")
    return 60 * int(found[1] or 0) + float(found[2])


def layer_names(text: str) -> tuple[str, ...]:
    """Names between commas: "fc8,conv5".

    Raises:
        argparse.ArgumentTypeError: there is none, or one is empty.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of layers; write fc8,conv5")
    return names


def feature_numbers(text: str) -> tuple[int, ...]:
    """Numbers between commas: "1,7,38".

    Raises:
        argparse.ArgumentTypeError: one of them is no whole number of at least 0.
    """
    numbers = [number.strip() for number in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of features; write 1,7,38")
    return tuple(map(int, numbers))


def _add_moment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("song", type=Path, metavar="SONG", help="WAV, FLAC, Ogg or MP3, of any length")
    parser.add_argument(
        "--at", dest="at_s", type=seconds, required=True, metavar="TIME", help="seconds, or minutes:seconds"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report, sounds and arrays")


def _add_explain(parser: argparse.ArgumentParser) -> None:
    _add_moment(parser)
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
    region.add_argument(
        "--outside-db",
        type=float,
        metavar="DB",
        help="how much softer everything else is in explanation.wav, 0 to 120 dB (default: 25)",
    )


def _add_invert(parser: argparse.ArgumentParser) -> None:
    _add_moment(parser)
    parser.add_argument(
        "--layers",
        type=layer_names,
        default=(),
        metavar="NAMES",
        help="such as fc8,conv5; see phonoscope describe (default: all)",
    )


def _add_auralise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("song", type=Path, metavar="SONG", help="WAV, FLAC, Ogg or MP3, of any length")
    parser.add_argument(
        "--at",
        dest="at_s",
        type=seconds,
        default=2.0,
        metavar="TIME",
        help="seconds, or minutes:seconds, in the clip's middle (default: %(default)g, the song's beginning)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the report, sounds and arrays")
    parser.add_argument("--layer", required=True, metavar="NAME", help="such as conv3; see phonoscope describe")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--features", type=feature_numbers, default=(), metavar="NUMBERS", help="such as 1,7,38, counted from 0"
    )
    which.add_argument("--strongest", type=int, metavar="K", help="instead, the K that answer most strongly (8)")
    parser.add_argument("--network", choices=["tagger", "detector"], default="tagger", help="(default: %(default)s)")
    parser.add_argument(
        "--resynthesis",
        choices=["phase", "spectrum"],
        default="phase",
        help="the recording lends pictures its phase (phase; default), or its spectrum is multiplied by them",
    )
    parser.add_argument(
        "--largest-activation-only", action="store_true", help="of each feature's map keep one activation, not all"
    )


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("song", type=Path, metavar="SONG", help="WAV, FLAC, Ogg or MP3; at most 64 MiB and 1200 s")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the page and the arrays")


def _add_describe(_: argparse.ArgumentParser) -> None:
    """It has no options of its own."""


def _add_demo(parser: argparse.ArgumentParser) -> None:
    out = Path("out/demo")
    parser.add_argument("--out", type=Path, metavar="DIR", default=out, help="folder (default: %(default)s)")
    parser.add_argument("--song", type=Path, metavar="SONG", help="another song")
    parser.add_argument("--at", dest="at_s", type=seconds, metavar="TIME", help="another moment")


def _add_service_and_output(parser: argparse.ArgumentParser) -> None:
    service = parser.add_argument_group("service")
    service.add_argument("--server", metavar="HOST:PORT", help="ask this one; a token is read from PHONOSCOPE_TOKEN")
    service.add_argument("--ca", type=Path, metavar="FILE", help="encrypt, trusting the certificates in this PEM file")
    service.add_argument(
        "--timeout-s", type=float, default=120.0, metavar="S", help="for one answer (default: %(default)g)"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON document instead of a summary")
    output.add_argument("--quiet", action="store_true", help="no progress notes on standard error")


_COMMAND_LINES = {
    "explain": ("why the detector answers as it does", command_help.EXPLAIN, _add_explain),
    "invert": ("what each layer keeps of a moment", command_help.INVERT, _add_invert),
    "auralise": ("what each feature of a network hears", command_help.AURALISE, _add_auralise),
    "maximise": ("what a unit or a layer wants to hear", command_help.MAXIMISE, maximisation_command.add_options),
    "predict": ("where somebody sings", command_help.PREDICT, _add_predict),
    "describe": ("what a service is serving", command_help.DESCRIBE, _add_describe),
    "demo": ("explain the song that comes with Phonoscope", command_help.DEMO, _add_demo),
}


def _explain(options: argparse.Namespace) -> None:
    alpha: float | Literal["keep-label"] | None = "keep-label" if options.keep_label else options.alpha
    region = Region(options.rule, alpha, options.max_area, options.masking, options.outside_db)
    explanation, summary = commands.explain(
        options.song, options.at_s, options.out, region, _connection(options), note=_Note(options)
    )
    _show(options, summary, explanation_text(explanation, song=options.song.name))


def _invert(options: argparse.Namespace) -> None:
    inversions, summary = commands.invert(
        options.song, options.at_s, options.layers, options.out, _connection(options), note=_Note(options)
    )
    _show(options, summary, inversions_text(inversions, song=options.song.name))


def _auralise(options: argparse.Namespace) -> None:
    features = Features(
        options.layer,
        options.features,
        options.strongest,
        options.network,
        options.resynthesis,
        options.largest_activation_only,
    )
    auralisation, summary = commands.auralise(
        options.song, options.at_s, features, options.out, _connection(options), note=_Note(options)
    )
    _show(options, summary, auralisation_text(auralisation, song=options.song.name))


def _maximise(options: argparse.Namespace) -> None:
    found, summary = maximisation_command.maximise(
        maximisation_command.wish(options), options.out, _connection(options), note=_Note(options)
    )
    _show(options, summary, maximisation_command.maximisation_text(found))


def _predict(options: argparse.Namespace) -> None:
    curve, document = commands.predict(options.song, options.out, _connection(options), note=_Note(options))
    _show(options, document, curve_text(curve, song=options.song.name))


def _describe(options: argparse.Namespace) -> None:
    bundle = commands.describe(_connection(options), note=_Note(options))
    _show(options, bundle.to_json(), bundle_text(bundle))


def _demo(options: argparse.Namespace) -> None:
    explanation, summary = commands.run_demo(
        options.song, options.at_s, options.out, _connection(options), note=_Note(options)
    )
    _show(options, summary, explanation_text(explanation, song=Path(summary["song"]).name))


_COMMANDS = {
    "explain": _explain,
    "invert": _invert,
    "auralise": _auralise,
    "maximise": _maximise,
    "predict": _predict,
    "describe": _describe,
    "demo": _demo,
}


def _connection(options: argparse.Namespace) -> Connection:
    return Connection(options.server, options.timeout_s, options.ca, os.environ.get("PHONOSCOPE_TOKEN"))


class _Note:
    """Progress on standard error, unless it is to be quiet."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._quiet = options.quiet

    def __call__(self, text: str) -> None:
        if not self._quiet:
            print(f"phonoscope: {text}", file=sys.stderr)


def _show(options: argparse.Namespace, document: dict[str, object], text: str) -> None:
    if options.json:
        print(json.dumps(document))
        return
    print(text)
    files = document.get("files")
    if isinstance(files, dict) and "report" in files:
        print(f"open {files['report']}")


if __name__ == "__main__":
    sys.exit(main())

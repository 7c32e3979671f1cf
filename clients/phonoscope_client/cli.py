"""The `phonoscope` command: its subcommands, and how what they answer is printed."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope_client.commands import auralise as auralisation_command
from phonoscope_client.commands import demo as demo_command
from phonoscope_client.commands import describe as bundle_command
from phonoscope_client.commands import explain as explanation_command
from phonoscope_client.commands import help as command_help
from phonoscope_client.commands import invert as inversion_command
from phonoscope_client.commands import maximise as maximisation_command
from phonoscope_client.commands import predict as curve_command
from phonoscope_client.commands.batch import command as batch_command
from phonoscope_client.commands.batch import options as batch_options
from phonoscope_client.commands.batch import summarise as summarise_command
from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.studio import command as studio_command
from phonoscope_client.commands.track import command as track_command
from phonoscope_client.commands.track import options as track_options
from phonoscope_client.errors import PhonoscopeError
from phonoscope_client.files import write_text

STANDARD_OUTPUT = Path("-")
TIMEOUT_S = 120.0  # for an answer, where nothing else is said
LONG_S = 3600.0  # for one file of a catalogue, which nobody watches


@dataclass(frozen=True)
class _Command:
    """A subcommand: what its help says, its options, and what it does to get a JSON document and a text."""

    summary: str
    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Connection, Note], tuple[dict[str, Any], str]]
    timeout_s: float | None = TIMEOUT_S  # None for as long as it takes
    status: Callable[[dict[str, Any]], int] = lambda _: 0  # what it exits with, by its document


_COMMANDS = {
    "explain": _Command(
        "why a listener answers as it does",
        command_help.EXPLAIN,
        explanation_command.add_options,
        explanation_command.run,
    ),
    "track": _Command(
        "where somebody sings, and why, all along a track",
        command_help.TRACK,
        track_options.add_options,
        track_command.run,
        timeout_s=None,
    ),
    "studio": _Command(
        "a page to drop songs on, click, see and hear why",
        command_help.STUDIO,
        studio_command.add_options,
        studio_command.run,
    ),
    "batch": _Command(
        "a whole catalogue, as Parquet",
        command_help.BATCH,
        batch_options.add_options,
        batch_command.run,
        timeout_s=LONG_S,
        status=batch_command.status,
    ),
    "summarise": _Command(
        "what a catalogue tells, and what to look at first",
        command_help.SUMMARISE,
        summarise_command.add_options,
        summarise_command.run,
    ),
    "invert": _Command(
        "what each layer keeps of a moment", command_help.INVERT, inversion_command.add_options, inversion_command.run
    ),
    "auralise": _Command(
        "what each feature of a network hears",
        command_help.AURALISE,
        auralisation_command.add_options,
        auralisation_command.run,
    ),
    "maximise": _Command(
        "what a unit or a layer wants to hear",
        command_help.MAXIMISE,
        maximisation_command.add_options,
        maximisation_command.run,
    ),
    "predict": _Command("where somebody sings", command_help.PREDICT, curve_command.add_options, curve_command.run),
    "describe": _Command(
        "what a service is serving", command_help.DESCRIBE, bundle_command.add_options, bundle_command.run
    ),
    "demo": _Command(
        "explain the song that comes with Phonoscope", command_help.DEMO, demo_command.add_options, demo_command.run
    ),
}


def get_parser() -> argparse.ArgumentParser:
    """Every command and option."""
    parser = argparse.ArgumentParser(
        prog="phonoscope", description=command_help.DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands_parser = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        command_parser = commands_parser.add_parser(
            name,
            help=command.summary,
            description=command.description,
            epilog=command_help.INSTALL,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_options(command_parser)
        _add_service_and_output(command_parser, command.timeout_s)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 where it succeeded, 1 where it failed and said why on standard error, 3 where some files of a catalogue did; a
        usage error exits with 2.
    """
    _escape_what_cannot_be_written()
    options = get_parser().parse_args(arguments)
    _end_in_order()
    try:
        command = _COMMANDS[options.command]
        document, text = command.run(options, _connection(options), _Note(options))
        _show(options, document, text)
    except (PhonoscopeError, OSError) as error:
        print(f"phonoscope: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("phonoscope: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return command.status(document)


def _end_in_order() -> None:
    """Has what ends this program end its service first, which would notice by itself, and leave files behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def _add_service_and_output(parser: argparse.ArgumentParser, timeout_s: float | None) -> None:
    service = parser.add_argument_group("service")
    service.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="ask this one, or those: dns:///NAME:PORT, ipv4:ADDRESS:PORT,...; a token is read from PHONOSCOPE_TOKEN",
    )
    service.add_argument("--ca", type=Path, metavar="FILE", help="encrypt, trusting the certificates in this PEM file")
    service.add_argument(
        "--certificate", type=Path, metavar="FILE", help="with --key: who asks, for services that ask for a certificate"
    )
    service.add_argument("--key", type=Path, metavar="FILE", help="the key to it; all of these files are PEM")
    limit = "as long as it takes, else what is known by then" if timeout_s is None else "%(default)g"
    service.add_argument(
        "--timeout-s", type=float, default=timeout_s, metavar="S", help=f"for one answer (default: {limit})"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=STANDARD_OUTPUT,
        metavar="FILE",
        help="print one JSON document instead of a summary, or write it to this file",
    )
    output.add_argument("--quiet", action="store_true", help="no progress notes on standard error")


def _connection(options: argparse.Namespace) -> Connection:
    token = os.environ.get("PHONOSCOPE_TOKEN")
    timeout_s = TIMEOUT_S if options.timeout_s is None else options.timeout_s
    return Connection(options.server, timeout_s, options.ca, options.certificate, options.key, token)


class _Note:
    """Progress on standard error, unless it is to be quiet."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._quiet = options.quiet

    def __call__(self, text: str) -> None:
        if not self._quiet:
            print(f"phonoscope: {text}", file=sys.stderr)


def _escape_what_cannot_be_written() -> None:
    """Terminals and files may take ASCII only; a name may hold what no encoding has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _show(options: argparse.Namespace, document: dict[str, object], text: str) -> None:
    if options.json == STANDARD_OUTPUT:
        print(json.dumps(document))
        return
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        write_text(options.json, json.dumps(document) + "\n")
    print(text)
    files = document.get("files")
    if isinstance(files, dict) and "report" in files:
        print(f"open {files['report']}")


if __name__ == "__main__":
    sys.exit(main())

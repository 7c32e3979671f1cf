"""`phonoscope summarise`: its options, and what it does."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from phonoscope_client.client import Client
from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.summary import must_be_able_to_draw
from phonoscope_client.errors import PhonoscopeError
from phonoscope_client.files import printable, write_text
from phonoscope_client.results.wording import percent

REPORTS = 12
_AS_EXPLAINED = ("rule", "alpha", "maximum_area", "masking", "control_seed")  # of the job's settings, for `explain`


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `phonoscope summarise`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="of `phonoscope batch`")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the page (default: that of the catalogue)")
    parser.add_argument(
        "--reports",
        type=int,
        default=REPORTS,
        metavar="N",
        help="explain so many of the moments to look at first anew, with pictures and sound; 0 for none, which "
        "needs no service (default: %(default)s)",
    )


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person."""
    import_module("phonoscope_client.batch")  # refuses where the extra is missing
    from phonoscope_client.batch.summary.figures import figures  # noqa: PLC0415 - PyArrow is an extra
    from phonoscope_client.batch.summary.looking import look_first  # noqa: PLC0415 - likewise
    from phonoscope_client.batch.summary.reading import Catalogue  # noqa: PLC0415 - likewise

    out: Path = options.out or options.folder
    must_be_able_to_draw(out)
    from phonoscope_client.reports.catalogue import catalogue_page  # noqa: PLC0415 - Jinja2 is an extra

    catalogue = Catalogue(options.folder)
    document = {**figures(catalogue), "look_first": look_first(catalogue)}
    out.mkdir(parents=True, exist_ok=True)
    settings = {name: value for name, value in catalogue.job["settings"].items() if name in _AS_EXPLAINED}
    _link(document["look_first"], settings, out, options.reports, connection, note)
    files = {"report": out / "summary.html", "summary": out / "summary.json"}
    document["files_written"] = {name: printable(path) for name, path in files.items()}
    write_text(files["report"], catalogue_page(document, name=printable(options.folder.resolve().name)))
    write_text(files["summary"], json.dumps(document, indent=2) + "\n")
    return document, _text(document)


def _moments(look: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Every moment that is to be looked at: the worst of each list first, then the second of each."""
    lists = [look["disagreeing"], [each["example"] for each in look["causes"]], look["unsupported"]]
    for rank in range(max(map(len, lists))):
        yield from (each[rank] for each in lists if rank < len(each))


def _link(
    look: dict[str, list[dict[str, Any]]],
    settings: dict[str, Any],
    out: Path,
    most: int,
    connection: Connection,
    note: Note,
) -> None:
    """Gives every moment and file the command that explains it, and the first of them a report."""
    moments, others = list(_moments(look)), [other for cause in look["causes"] for other in cause["others"]]
    for each in (*moments, *others, *look["disagreeing_files"]):
        at = ["explain", each["path"], "--at", f"{each['at_s']:.2f}"] if "at_s" in each else ["track", each["path"]]
        each |= {"report": None, "command": shlex.join(["phonoscope", *at, "--out", "out/why"])}
    wanted = list(dict.fromkeys((each["path"], each["at_s"]) for each in moments if Path(each["path"]).is_file()))[
        :most
    ]
    made: dict[tuple[str, float], str] = {}
    if wanted:
        with connection.open(note) as client:
            note(f"explaining {len(wanted)} moments anew ...")
            for number, key in enumerate(wanted):
                name = f"reports/{number:03}.html"
                try:
                    _report(client, *key, settings, out / name)
                except PhonoscopeError as error:
                    note(f"{printable(key[0])} at {key[1]:.2f} s has no report: {error}")
                else:
                    made[key] = name
    for each in (*moments, *others):
        each["report"] = made.get((each["path"], each["at_s"]))
    of_file = {path: name for (path, _), name in reversed(made.items())}
    for each in look["disagreeing_files"]:
        each["report"] = of_file.get(each["path"])


def _report(client: Client, path: str, at_s: float, settings: dict[str, Any], file: Path) -> None:
    from phonoscope_client.reports.explanation import explanation_page  # noqa: PLC0415 - Matplotlib loads slowly

    explanation = client.explain(path, at_s, **settings)
    file.parent.mkdir(exist_ok=True)
    write_text(file, explanation_page(explanation, song=printable(Path(path).name)))


def _text(document: dict[str, Any]) -> str:
    look = document["look_first"]
    lines = [f"{document['answered']} of {document['files']} files answered, {document['errors']} failed"]
    for label, each in document["labels"].items():
        held = "" if each["share_held"] is None else f", {percent(each['share_held'])} of explanations hold"
        lines.append(f"  {label:14}{percent(each['share_of_files'])} of files{held}")
    lines.append(
        f"to look at first: {len(look['disagreeing'])} moments not as expected, {len(look['unsupported'])} sure ones "
        f"unsupported, {len(look['causes'])} causes that come again"
    )
    return "\n".join([*lines, f"open {document['files_written']['report']}"])

"""What several commands share: option types, progress bars, where a JSON document goes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from tqdm import tqdm

from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import Progress
from phonoscope_trainer.writing import write_text

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # add_subparsers returns no public type


def add_corpus(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """`--corpus NAME` and `--root DIR`."""
    parser.add_argument("--corpus", required=required, help=f"name of a corpus: {', '.join(named.NAMES)}")
    parser.add_argument("--root", type=Path, help="where it is (default: PHONOSCOPE_DATA or the cache)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json FILE`, passed on as `json_path`."""
    parser.add_argument(
        "--json", dest="json_path", type=Path, help="where the document goes (default: standard output)"
    )


def add_fields(parser: argparse.ArgumentParser, defaults: object, meanings: Mapping[str, str]) -> None:
    """For each field of some options that `meanings` explains, an option of its name, its type and its default."""
    for name, meaning in meanings.items():
        default = getattr(defaults, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"{meaning} (default %(default)s)"
        )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """`--threads N`."""
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")


def add_figures(parser: argparse.ArgumentParser) -> None:
    """`--figures DIR`."""
    parser.add_argument("--figures", type=Path, metavar="DIR", help="where the figures go (default: beside F)")


def names(text: str) -> tuple[str, ...]:
    """Comma-separated names."""
    return tuple(name for name in text.split(",") if name)


def bar(title: str) -> Progress:
    """A progress bar over tracks, on standard error."""
    return lambda tracks: tqdm(list(tracks), desc=title, unit="track")


def write(document: dict[str, object], path: Path | None) -> None:
    """Write a JSON document to `path`, or print it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if path is None:
        print(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text + "\n")
    print(f"wrote {path}")

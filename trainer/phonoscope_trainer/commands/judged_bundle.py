"""What the experiments on a bundle's explanations share: options, corpora, excerpts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from phonoscope_trainer.commands.options import add_json, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontend import FRONTEND, Frontend

Row = TypeVar("Row")
WITH_STEMS = ("rendered", "mir1k", "musdb")


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """`--model-repository`, `--masker`, `--corpora`, `--figures`, `--threads` and `--json`."""
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    parser.add_argument("--masker", type=Path, metavar="RUN", help="judge this run's masker, not the bundle's")
    parser.add_argument(
        "--corpora", type=names, help=f"whose test splits (default: of {', '.join(WITH_STEMS)} those that are there)"
    )
    parser.add_argument("--figures", type=Path, metavar="DIR", help="where the figure goes (default: beside F)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default %(default)s)")
    add_json(parser)


def tested(corpora: Sequence[str] | None) -> dict[str, list[Features]]:
    """The test splits of corpora that have stems.

    Raises:
        CorpusError: one of them is missing or empty.
    """
    chosen = corpora or [name for name in WITH_STEMS if named.find(name)] or WITH_STEMS[:1]
    tracks: dict[str, tuple[Track, ...]] = {name: named.load(name).of("test") for name in chosen}
    if empty := [name for name, found in tracks.items() if not found]:
        raise CorpusError(f"{empty[0]}: no track in its test split")
    return {name: features(found, Frontend(FRONTEND), bar(name)) for name, found in tracks.items()}


def bar_over(what: str) -> Callable[[Iterable[Row], str], Iterable[Row]]:
    """Progress bars, on standard error, of loops over excerpts."""

    def progress(rows: Iterable[Row], step: str) -> Iterable[Row]:
        shown: Iterable[Row] = tqdm(rows, desc=f"{what}, {step}")
        return shown

    return progress


def figure_path(figures: Path | None, json_path: Path | None, name: str) -> Path | None:
    """Where a figure goes: into `figures`, or beside the document; None where neither is given."""
    place = figures or (json_path and json_path.parent)
    if place is None:
        return None
    place.mkdir(parents=True, exist_ok=True)
    return place / f"{json_path.stem if json_path else name}.png"

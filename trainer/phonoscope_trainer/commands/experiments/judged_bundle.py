"""What the experiments on a bundle's explanations share: options, corpora, progress, where the answer goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from tqdm import tqdm

from phonoscope_trainer.commands.options import add_figures, add_json, add_threads, bar, names, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Track
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork, network_of_bundle
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend

Row = TypeVar("Row")
WITH_STEMS = ("rendered", "mir1k", "musdb")


@dataclass(frozen=True, slots=True)
class JudgedBundle:
    """A bundle whose explanations are judged, on what, and where the answer goes: the options of `add_bundle`."""

    model_repository: Path
    masker: Path | None  # a run, judged instead of the bundle's
    corpora: Sequence[str] | None
    figures: Path | None
    threads: int
    json_path: Path | None

    def explained(self) -> ExplainedNetwork:
        """Its networks in PyTorch, which computes with `threads` from here on."""
        torch.set_num_threads(self.threads)
        return network_of_bundle(self.model_repository, self.masker, self.threads)

    def tested(self) -> dict[str, list[Features]]:
        """The test splits of corpora that have stems.

        Raises:
            CorpusError: one of them is missing or empty.
        """
        chosen = self.corpora or [name for name in WITH_STEMS if named.find(name)] or WITH_STEMS[:1]
        tracks: dict[str, tuple[Track, ...]] = {name: named.load(name).of("test") for name in chosen}
        if empty := [name for name, found in tracks.items() if not found]:
            raise CorpusError(f"{empty[0]}: no track in its test split")
        return {name: features(found, Frontend(FRONTEND), bar(name)) for name, found in tracks.items()}

    def leave(self, document: dict[str, object], name: str, draw: Callable[[Path], None]) -> None:
        """Draw the figure of a document, where there is a place for it, and write the document."""
        if place := self.figures or (self.json_path and self.json_path.parent):
            place.mkdir(parents=True, exist_ok=True)
            draw(place / f"{self.json_path.stem if self.json_path else name}.png")
        write(document, self.json_path)


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """`--model-repository`, `--masker`, `--corpora`, `--figures`, `--threads` and `--json`."""
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    parser.add_argument("--masker", type=Path, metavar="RUN", help="judge this run's masker, not the bundle's")
    parser.add_argument(
        "--corpora", type=names, help=f"whose test splits (default: of {', '.join(WITH_STEMS)} those that are there)"
    )
    add_figures(parser)
    add_threads(parser)
    add_json(parser)


def bar_over(what: str) -> Callable[[Iterable[Row], str], Iterable[Row]]:
    """Progress bars, on standard error, of loops over excerpts."""

    def progress(rows: Iterable[Row], step: str) -> Iterable[Row]:
        shown: Iterable[Row] = tqdm(rows, desc=f"{what}, {step}")
        return shown

    return progress

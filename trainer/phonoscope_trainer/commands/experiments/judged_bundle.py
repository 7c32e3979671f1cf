"""What the experiments on a bundle's explanations share: options, corpora, progress, where the answer goes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.commands.options import add_figures, add_json, add_threads, bar, names, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.corpus import Split, Track
from phonoscope_trainer.corpora.excerpts import random_excerpts
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.corpora.real import SILVER
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.explanation.baselines import Baselines, usual_regions
from phonoscope_trainer.experiments.explanation.excerpts import CANDIDATES
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork, network_of_bundle
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.rules import ALPHAS

Row = TypeVar("Row")
WITH_STEMS = ("rendered", "mir1k", "musdb")
USUAL_EXCERPTS = 192  # of each corpus, from which what is usual is learnt


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

    def split(self, split: Split, usual: Sequence[str] = WITH_STEMS) -> dict[str, list[Features]]:
        """One split of the corpora, by default those of `usual` that are there, but for what a model labelled.

        Raises:
            CorpusError: one of them is missing or empty.
        """
        chosen = self.corpora or [name for name in usual if named.find(name)] or usual[:1]
        return {name: features(labelled(name, split), Frontend(FRONTEND), bar(f"{name}, {split}")) for name in chosen}

    def baselines(self, explained: ExplainedNetwork, usual: Sequence[str] = WITH_STEMS) -> Baselines:
        """What explanations are compared with; the usual region is learnt on valid splits.

        Raises:
            CorpusError: a valid split is missing or empty.
        """

        def regions(log_mel: Tensor) -> Tensor:
            relevance = explained.relevances(explained.standardise(log_mel))[explained.default]
            return relevance >= ALPHAS[explained.default]

        valid = (
            random_excerpts(tracks, USUAL_EXCERPTS, Frontend(FRONTEND), 0)
            for tracks in self.split("valid", usual).values()
        )
        batches = (batch for excerpts in valid for batch in excerpts.split(CANDIDATES))
        return Baselines(explained.standardise, usual_regions(batches, explained.is_vocal, regions))

    def leave(self, document: dict[str, object], name: str, draw: Callable[[Path], None]) -> None:
        """Draw the figure of a document, where there is a place for it, and write the document."""
        if place := self.figures or (self.json_path and self.json_path.parent):
            place.mkdir(parents=True, exist_ok=True)
            draw(place / f"{self.json_path.stem if self.json_path else name}.png")
        write(document, self.json_path)


def labelled(name: str, split: Split) -> tuple[Track, ...]:
    """The tracks of one split whose labels are people's or the truth.

    Raises:
        CorpusError: the corpus is missing, or has no such track.
    """
    tracks = tuple(track for track in named.load(name).of(split) if track.kind != SILVER)
    if not tracks:
        raise CorpusError(f"{name}: no track in its {split} split")
    return tracks


def add_bundle(parser: argparse.ArgumentParser, usual: Sequence[str] = WITH_STEMS) -> None:
    """`--model-repository`, `--masker`, `--corpora`, `--figures`, `--threads` and `--json`."""
    parser.add_argument("--model-repository", type=Path, default=Path("model_repository"), help="(default %(default)s)")
    parser.add_argument("--masker", type=Path, metavar="RUN", help="judge this run's masker, not the bundle's")
    parser.add_argument(
        "--corpora", type=names, help=f"whose test splits (default: of {', '.join(usual)} those that are there)"
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

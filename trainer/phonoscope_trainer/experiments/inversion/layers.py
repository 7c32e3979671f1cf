"""The inversion experiment: what every layer of the detector keeps (Mishra et al., ISMIR 2018, sections 3.4 and 4).

Reconstruction errors of the inverters of all layers on several corpora, beside what any inverter must beat (the mean
excerpt, and of FC7 and FC8 a linear map) and what the paper's form of inverter cannot reach; how far inversions are
from their excerpts in the comparator's eyes; and what the paper reads off its pictures, measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.experiments.inversion import structure
from phonoscope_trainer.experiments.inversion.excerpts import EvaluationSet
from phonoscope_trainer.experiments.inversion.floor import best_of_paper_form
from phonoscope_trainer.measures.reconstruction_error import (
    Inverter,
    comparator_errors,
    inversions,
    mean_pairwise_distance,
    reconstruction_errors,
)
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import LAYERS, SVDNet
from phonoscope_trainer.recipes.feature_inversion.objective import METHODS

RESAMPLES, LEVEL = 2000, 0.95
WITHOUT_POSITIONS = ("fc7", "fc8")


@dataclass(frozen=True, slots=True)
class InversionOptions:
    """How much is measured."""

    files: int = 16  # of a corpus, at most
    draws: int = 10  # evaluation sets of each corpus
    detailed_draws: int = 3  # of them, how many are also compared in the comparator and in structure

    def __post_init__(self) -> None:
        if self.files < 2:
            raise OptionsError(f"files must be at least 2, got {self.files}")
        if not 1 <= self.detailed_draws <= self.draws:
            raise OptionsError(f"detailed_draws must be from 1 to draws ({self.draws}), got {self.detailed_draws}")


@dataclass(slots=True)
class Errors:
    """Normalised errors of many excerpts, and the file each excerpt is from."""

    values: list[NDArray[np.float64]] = field(default_factory=list)
    files: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, errors: Tensor, drawn: EvaluationSet) -> None:
        """Count one evaluation set's errors `[N]`."""
        self.values.append(errors.double().numpy())
        self.files.append(drawn.file)

    @property
    def mean(self) -> float:
        """Over all excerpts of all draws."""
        return float(np.concatenate(self.values).mean())

    @property
    def interval(self) -> dict[str, float]:
        """`mean`, and `low` and `high` of its 95 % bootstrap interval over files: excerpts of one file are alike."""
        values, files = np.concatenate(self.values), np.concatenate(self.files)
        means = np.bincount(files, values) / np.bincount(files)
        drawn = np.random.default_rng(0).integers(len(means), size=(RESAMPLES, len(means)))
        low, high = np.quantile(means[drawn].mean(axis=1), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        return {"mean": self.mean, "low": float(low), "high": float(high)}


@dataclass(frozen=True, slots=True)
class Detailed:
    """One evaluation set with what the joint method's inverters make of it."""

    drawn: EvaluationSet
    found: Mapping[str, Tensor]  # layer → [N, T, M]


@dataclass(frozen=True, slots=True)
class Judge:
    """A detector and its inverters, under examination."""

    network: SVDNet
    standardise: Standardise
    inverters: Mapping[str, Sequence[Inverter]]  # method, or what else they are called by in the document
    comparator: str
    mean_excerpt: Tensor  # [T, M] of the training music, standardised: what an inverter blind to its layer would show
    options: InversionOptions

    @torch.inference_mode()
    def corpus(self, sets: Iterable[EvaluationSet]) -> dict[str, object]:
        """One corpus' part of every entry of the document: `nre`, `mean_excerpt_baseline` and so on."""
        errors, distances, patterns = self._tally(), self._tally(), self._tally(WITHOUT_POSITIONS)
        blind, own_mean, floor = Errors(), Errors(), {layer: Errors() for layer in LAYERS}
        detailed: list[Detailed] = []
        for number, drawn in enumerate(sets):
            unit = mean_pairwise_distance(drawn.excerpts)
            blind.add(reconstruction_errors(drawn.excerpts, self.mean_excerpt, unit), drawn)
            own_mean.add(reconstruction_errors(drawn.excerpts, drawn.excerpts.mean(dim=0), unit), drawn)
            for layer, best in best_of_paper_form(drawn.excerpts).items():
                floor[layer].add(reconstruction_errors(drawn.excerpts, best, unit), drawn)
            for method, networks in self.inverters.items():
                found = inversions(drawn.excerpts, self.network, networks)
                for layer, inverted in found.items():
                    errors[method][layer].add(reconstruction_errors(drawn.excerpts, inverted, unit), drawn)
                    if layer in WITHOUT_POSITIONS:
                        alike = structure.time_pattern(drawn.excerpts.double().numpy(), inverted.double().numpy())
                        patterns[method][layer].add(torch.from_numpy(alike), drawn)
                if number < self.options.detailed_draws:
                    compared = comparator_errors(drawn.excerpts, found, self.network, self.comparator)
                    for layer, values in compared.items():
                        distances[method][layer].add(values, drawn)
                    if method == "joint":
                        detailed.append(Detailed(drawn, found))
        return {
            "nre": {method: {layer: each.interval for layer, each in by.items()} for method, by in errors.items()},
            "mean_excerpt_baseline": blind.mean,
            "own_mean_excerpt": own_mean.mean,
            "time_pattern": _means(patterns),
            "comparator_distance": _comparable(_means(distances)),
            "paper_floor": {layer: each.mean for layer, each in floor.items()},
            "structure": self.structure(detailed),
            "class_contrast": class_contrast(detailed),
            "excerpts": sum(map(len, blind.values)),
        }

    def structure(self, detailed: Sequence[Detailed]) -> dict[str, dict[str, float]]:
        """Layer → `onset_correlation` and `harmonic_share`: what it keeps of time and of pitch."""
        excerpts = self._log_mel([each.drawn.excerpts for each in detailed])
        kept: dict[str, dict[str, float]] = {}
        for layer in detailed[0].found:
            inverted = self._log_mel([each.found[layer] for each in detailed])
            kept[layer] = {
                "onset_correlation": float(structure.onset_correlation(excerpts, inverted).mean()),
                "harmonic_share": structure.harmonic_share(excerpts, inverted),
            }
        return kept

    def _tally(self, layers: Sequence[str] = LAYERS) -> dict[str, dict[str, Errors]]:
        return {
            method: {each.layer: Errors() for each in networks if each.layer in layers}
            for method, networks in self.inverters.items()
        }

    def _log_mel(self, pictures: Sequence[Tensor]) -> NDArray[np.float64]:
        standardise = self.standardise
        return np.asarray((torch.cat(list(pictures)) * standardise.std + standardise.mean).double().numpy())


def _means(tallied: Mapping[str, Mapping[str, Errors]]) -> dict[str, dict[str, float]]:
    return {method: {layer: each.mean for layer, each in by.items()} for method, by in tallied.items()}


def _comparable(distances: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    """The same, of the two methods the layers that both have: each is there to be compared with the other."""
    both = [distances[method] for method in METHODS if method in distances]
    shared = set.intersection(*(set(by) for by in both)) if both else set()
    return {
        name: {layer: each for layer, each in by.items() if layer in shared} if name in METHODS else by
        for name, by in distances.items()
    }


def class_contrast(detailed: Sequence[Detailed]) -> dict[str, object]:
    """Sung against other excerpts by frequency: in the excerpts themselves, and in what the deepest layers keep."""
    sung = np.concatenate([each.drawn.sung for each in detailed])
    pictures = {"input": torch.cat([each.drawn.excerpts for each in detailed])}
    for layer in (layer for layer in WITHOUT_POSITIONS if layer in detailed[0].found):
        pictures[layer] = torch.cat([each.found[layer] for each in detailed])
    return {name: structure.class_contrast(values.double().numpy(), sung) for name, values in pictures.items()}


def document(by_corpus: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """The same figures, by what they are and then by corpus."""
    entries = next(iter(by_corpus.values()))
    return {entry: {corpus: figures[entry] for corpus, figures in by_corpus.items()} for entry in entries}

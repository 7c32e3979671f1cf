"""Training for any listener, as `adopt`, `masker --listener` and `feature-inverters --listener` share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import nn

from phonoscope_trainer.commands.options import bar
from phonoscope_trainer.corpora.corpus import Corpus, Split
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.export.adoption.adopt import Opened
from phonoscope_trainer.export.adoption.music import corpora_at_hand, music_of
from phonoscope_trainer.networks.label_masker import LabelMasker
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.recipes.label_masker.excerpts import Matchmaker, margins_of
from phonoscope_trainer.recipes.label_masker.training import LabelMaskerOptions, train_label_masker
from phonoscope_trainer.recipes.layer_inversion.training import (
    LayerInversionOptions,
    LayerInversions,
    train_layer_inverters,
)
from phonoscope_trainer.recipes.listened import Listened, band_means


@dataclass(frozen=True, slots=True)
class Music:
    """What is at hand for a listener to learn from: kept in the cache, and, as long as this is, in memory."""

    corpora: Sequence[Corpus]
    listener: Listener
    _heard: dict[tuple[Split, int, int], Listened] = field(default_factory=dict, init=False, repr=False)

    def of(self, split: Split, count: int, seed: int) -> Listened:
        """About so many excerpts of a split.

        Raises:
            CorpusError: no recording is long enough.
        """
        key = split, count, seed
        if key not in self._heard:
            progress = bar(f"{self.listener.name}, {split}")
            self._heard[key] = music_of(self.corpora, split, self.listener, count, seed, progress)
        return self._heard[key]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the corpora."""
        return tuple(corpus.name for corpus in self.corpora)


def music_at_hand(names: tuple[str, ...], listener: Listener) -> Music:
    """The corpora asked for, or those that are there.

    Raises:
        CorpusError: there is none.
    """
    found = corpora_at_hand(names)
    if not found:
        raise CorpusError("no music at hand to learn from; see `phonoscope-train corpus list`")
    return Music(found, listener)


def learnt_masker(
    folder: Path, music: Music, options: LabelMaskerOptions, judge: nn.Module | None = None
) -> LabelMasker:
    """The masker of a run, trained there first where it is not.

    Raises:
        CorpusError: the music has too few excerpts with, and without, any label.
        CheckpointError: `folder` holds a run with other options.
        OptionsError: the listener shows no layer that knows where.
    """
    listener = music.listener
    own = replace(options, listener=listener.name, corpora=music.names)
    learnt, chosen = (
        Matchmaker(each, margins_of(each.log_odds, listener.threshold_logits, listener.decision))
        for each in (
            music.of("train", own.excerpts, own.seed),
            music.of("valid", own.validation_excerpts, own.seed),
        )
    )
    return train_label_masker(folder, listener, learnt, chosen, own, judge)


def learnt_inverters(folder: Path, music: Music, options: LayerInversionOptions) -> LayerInversions:
    """The inverters of a run, trained there first where they are not.

    Raises:
        CheckpointError: `folder` holds a run with other options.
        OptionsError: the listener shows no layers, or not those that are asked for.
    """
    own = replace(options, listener=music.listener.name, corpora=music.names)
    train = music.of("train", own.excerpts, own.seed).log_mel
    valid = music.of("valid", own.validation_excerpts, own.seed).log_mel
    return train_layer_inverters(folder, music.listener, train, valid, own)


def with_learnt(
    opened: Opened,
    music: Music,
    runs: tuple[Path, Path],
    masker: LabelMaskerOptions | None,
    inverters: LayerInversionOptions | None,
    judge: nn.Module | None = None,
) -> Opened:
    """A listener with a masker and inverters, each where it is asked for; its band means are those of the music.

    Raises:
        CorpusError: the music does not suffice.
        CheckpointError: see `learnt_masker`.
        OptionsError: see `learnt_masker` and `learnt_inverters`.
    """
    if masker and opened.why_no_gradient:
        raise CorpusError(f"no masker can be trained: {opened.why_no_gradient}; leave --updates out")
    excerpts = (masker or inverters or LabelMaskerOptions()).excerpts
    return replace(
        opened,
        masker=learnt_masker(runs[0], music, masker, judge) if masker else opened.masker,
        inversions=learnt_inverters(runs[1], music, inverters) if inverters else opened.inversions,
        baseline=band_means(music.listener, music.of("train", excerpts, 0).log_mel),
    )

"""`phonoscope-train doubt`: fit what tells how far the detector's answers are to be doubted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from phonoscope_trainer.commands.options import Verbs, add_fields, add_threads, bar, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.audio import read_sum
from phonoscope_trainer.corpora.corpus import Split, Track
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.corpora.foreign import made_here
from phonoscope_trainer.corpora.judged import judged
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.measures.calibrated_run import calibration_of
from phonoscope_trainer.networks.label import threshold_logit
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.doubt import fit
from phonoscope_trainer.recipes.doubt.excerpts import (
    PIECE_S,
    Ear,
    Seen,
    of_foreign,
    of_music,
    some_of_each_kind,
)
from phonoscope_trainer.recipes.doubt.run import DoubtOptions, FittedDoubt, save_doubt

DEFAULTS = DoubtOptions()
NO_MUSIC = ("speech", "played", "degraded")  # kinds of what detectors learn from to be told from singing
FOREIGN_SEED = {"train": 1, "valid": 2, "test": 3}  # by split: sounds of one are in no other


def add(verbs: Verbs) -> None:
    """`doubt`: fit it."""
    parser = verbs.add_parser("doubt", help="fit what tells how far answers are to be doubted", description=fit.__doc__)
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="folder of the run")
    parser.add_argument("--detector", type=Path, required=True, help="run of the detector to doubt")
    parser.add_argument(
        "--corpora", type=names, help="of music (default: what the detector learned from, but for what is no music)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        help="the detector's (default: chosen on the valid splits of what it was trained on)",
    )
    meanings = {
        "recordings": "of each kind of a corpus, at most",
        "pieces": "of each kind of a corpus, each of 16 excerpts",
        "sounds": "of each kind of foreign sound",
        "seed": "of everything drawn",
    }
    add_fields(parser, DEFAULTS, meanings)
    add_threads(parser)
    parser.set_defaults(run=fit_doubt)


def fit_doubt(
    folder: Path,
    detector: Path,
    corpora: tuple[str, ...] | None,
    threshold: float | None,
    recordings: int,
    pieces: int,
    sounds: int,
    seed: int,
    threads: int,
) -> None:
    """Fit doubt to the detector's own music and to foreign sounds."""
    torch.set_num_threads(threads)
    learned = tuple(checkpoint.options(detector)["corpora"])
    music = corpora or tuple(dict.fromkeys(each for each in learned if is_music(each)))
    options = DoubtOptions(str(detector), music, recordings, pieces, sounds, seed)
    network, standardise = load_detector(detector)
    ear = Ear(network, standardise, Frontend(FRONTEND))
    train, valid = (seen_music(music, split, ear, options) for split in ("train", "valid"))
    foreign = seen_foreign("valid", fit.TAUGHT, music, ear, options)
    at = calibration_of(detector, bar("valid")).threshold if threshold is None else threshold
    doubt = fit.fitted(train, valid, foreign, threshold_logit(at))
    save_doubt(folder, options, FittedDoubt(doubt, fit.doubt_quantiles(doubt, valid)), network)


def is_music(corpus: str) -> bool:
    """Whether a corpus, by its specification, is music that somebody plays or sings."""
    return not any(kind in corpus for kind in NO_MUSIC)


def seen_music(corpora: tuple[str, ...], split: Split, ear: Ear, options: DoubtOptions) -> list[Seen]:
    """Excerpts of one split of some corpora, a family for each kind of recording; mixes among those that are judged.

    Raises:
        CorpusError: a corpus is missing, or there is no music in that split.
    """
    found = []
    for name in corpora:
        corpus = named.load(name)
        tracks = corpus.of("train") if split == "train" else judged(corpus, split)
        chosen = features(some_of_each_kind(tracks, options.recordings), ear.frontend, bar(f"{name}, {split}"))
        found += of_music(corpus.name, chosen, ear, options.pieces, options.seed)
    if not found:
        raise CorpusError(f"{', '.join(corpora)}: no recording of the {split} splits is long enough to be doubted")
    return found


def seen_foreign(
    split: Split, kinds: tuple[str, ...], corpora: tuple[str, ...], ear: Ear, options: DoubtOptions
) -> list[Seen]:
    """Excerpts of those of the kinds that this machine can make; a split's music becomes foreign in it.

    Raises:
        CorpusError: a corpus is missing, or no recording of that split is long enough.
    """
    given = music_of([track for name in corpora for track in named.load(name).of(split)], options.sounds)
    there = tqdm([kind for kind in kinds if kind in made_here()], desc=f"foreign sounds, {split}", unit="kind")
    return of_foreign(there, ear, given, options.sounds, FOREIGN_SEED[split])


def music_of(tracks: list[Track], count: int) -> list[NDArray[np.float32]]:
    """Eight seconds from the middle of each of `count` recordings, fewer where not as many are long enough."""
    found: list[NDArray[np.float32]] = []
    length = round(PIECE_S * FRONTEND.sample_rate_hz)
    for row in np.random.default_rng(0).permutation(len(tracks)):
        if len(found) == count:
            break
        samples = read_sum(tracks[row].audio, FRONTEND.sample_rate_hz)
        if len(samples) >= length:
            first = (len(samples) - length) // 2
            found.append(samples[first : first + length])
    if not found:
        raise CorpusError(f"no recording lasts {PIECE_S:g} s, as music must that becomes foreign")
    return found

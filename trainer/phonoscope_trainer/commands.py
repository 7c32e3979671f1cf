"""What each command does: ordinary functions, called by the command line with its options."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile
import torch
from tqdm import tqdm

from phonoscope_trainer import export as exporting
from phonoscope_trainer.corpora import named, rendered
from phonoscope_trainer.corpora.corpus import SPLITS
from phonoscope_trainer.corpora.features import Progress, features
from phonoscope_trainer.corpora.labels import write_lab
from phonoscope_trainer.deployment import Deployment, Device, deploy
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.experiments import detector as detector_scores
from phonoscope_trainer.frontend import FRONTEND, Frontend
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes import detector as detector_recipe
from phonoscope_trainer.recipes import explanation_inverter as inverter_recipe
from phonoscope_trainer.recipes.band_statistics import band_statistics
from phonoscope_trainer.recipes.excerpts import ExcerptSampler

if TYPE_CHECKING:
    from phonoscope_trainer.networks.inverter import Variant


def render_corpus(songs: int, seed: int, seconds: tuple[float, float], out: Path | None, workers: int) -> None:
    """Render songs, going on where an earlier call stopped."""
    options = rendered.RenderOptions(seed=seed, songs=songs, shortest_s=seconds[0], longest_s=seconds[1])
    corpus = rendered.render(out or named.rendered_folder(), options, workers=workers)
    print(f"{len(corpus.tracks)} songs in {out or named.rendered_folder()}")


def render_one_song(seed: int, index: int, out: Path) -> None:
    """Render one song as its mixture."""
    options = rendered.RenderOptions(seed=seed)
    song = rendered.render_song(seed, index, options)
    mixture = song.voice + song.accompaniment
    out.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(out, mixture, options.sample_rate_hz)
    write_lab(out.with_suffix(".lab"), song.vocals, len(mixture) / options.sample_rate_hz)
    print(f"wrote {out}: {json.dumps(song.description, ensure_ascii=False)}")


def describe_corpus(corpus: str, root: Path | None) -> None:
    """Print what a corpus holds."""
    found = named.load(corpus, root)
    splits = {split: len(found.of(split)) for split in SPLITS}
    print(
        json.dumps({"name": found.name, "licence": found.licence, "digest": found.digest, "tracks": splits}, indent=2)
    )


def train_detector(folder: Path, corpora: Sequence[str] | None, updates: int, threads: int, seed: int) -> None:
    """Train the detector on the training splits of the named corpora."""
    names = tuple(corpora or named.available())
    if not names:
        raise CorpusError("no corpus to train on: `phonoscope-train corpus rendered` makes one from nothing")
    frontend = Frontend(FRONTEND)
    tracks = [features(named.load(name).of("train"), frontend, _bar(name)) for name in names]
    options = detector_recipe.DetectorOptions(updates=updates, threads=threads, seed=seed, corpora=names)
    sampler = ExcerptSampler(tracks, frontend, options.excerpts, seed)
    statistics = band_statistics([track for corpus in tracks for track in corpus], frontend)
    detector_recipe.train_detector(folder, sampler.batch, Standardise(*statistics), options)


def train_explanation_inverter(
    folder: Path, detector: Path, epochs: int, excerpts: int, variant: Variant, threads: int
) -> None:
    """Train the explanation inverter on the detector's features of its own training music."""
    torch.set_num_threads(threads)
    options = inverter_recipe.InverterOptions(epochs=epochs, excerpts=excerpts, variant=variant)
    network, standardise = detector_recipe.load_detector(detector)
    frontend = Frontend(FRONTEND)
    names = checkpoint.options(detector)["corpora"]
    share = options.excerpts // len(names)
    drawn = [
        inverter_recipe.draw_excerpts(
            features(named.load(name).of("train"), frontend, _bar(name)),
            share,
            frontend,
            standardise,
            options.seed,
        )
        for name in names
    ]
    pairs = inverter_recipe.encode(torch.cat(drawn), network)
    inverter_recipe.train_inverter(folder, pairs, options)


def export_bundle(
    detector: Path,
    inverter: Path,
    name: str,
    out: Path,
    metrics: Sequence[Path],
    device: Device,
    instances: int,
    half_precision: Sequence[str],
    engine_cache: str,
) -> None:
    """Write the model repository."""
    deployment = Deployment(device, instances, tuple(half_precision), engine_cache)
    options = exporting.ExportOptions(name, detector, inverter, out, _this_command(), tuple(metrics), deployment)
    print(f"{name} {exporting.export(options)}")


def deploy_bundle(
    model_repository: Path, out: Path, device: Device, instances: int, half_precision: Sequence[str], engine_cache: str
) -> None:
    """Write a bundle for another device."""
    deployment = Deployment(device, instances, tuple(half_precision), engine_cache)
    print(f"{out} {deploy(model_repository, out, deployment, _this_command())}")


def detector_experiment(
    songs: Path | None,
    corpus: str | None,
    root: Path | None,
    folder: Path | None,
    model_repository: Path,
    threshold: float | None,
    json_path: Path | None,
) -> None:
    """Judge a detector on a folder of songs, or on a corpus' test split."""
    if (songs is None) == (corpus is None):
        raise OptionsError("give either --songs DIR or --corpus NAME")
    if folder is not None:
        listener, chosen = detector_scores.run_listener(folder), 0.5
    else:
        listener, chosen = detector_scores.bundle_listener(model_repository)
    tracks = named.load("folder", songs).tracks if songs else named.load(corpus or "", root).of("test")
    threshold = chosen if threshold is None else threshold
    judged = detector_scores.judge(_bar("songs")(tracks), listener, threshold)
    document = detector_scores.summary(judged, threshold)
    if all(track.accompaniment for track in tracks):
        document["test_auc"] = detector_scores.stem_auc(tracks, listener)
    _write(document, json_path)


def _this_command() -> str:
    return shlex.join(["phonoscope-train", *sys.argv[1:]])


def _bar(title: str) -> Progress:
    """A progress bar over tracks, on standard error."""
    return lambda tracks: tqdm(list(tracks), desc=title, unit="track")


def _write(document: dict[str, object], path: Path | None) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if path is None:
        print(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {path}")

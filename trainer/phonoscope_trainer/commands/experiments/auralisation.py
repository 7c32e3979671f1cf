"""`phonoscope-train experiment auralisation`: what features are sensitive to, and which of them hear what."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.commands.experiments.tagger import RUN
from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, add_threads, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.audio import AUDIO_SUFFIXES
from phonoscope_trainer.corpora.clips import FULL_SCALE, clips
from phonoscope_trainer.corpora.features import cache_folder
from phonoscope_trainer.experiments.auralisation import feature_cards
from phonoscope_trainer.experiments.auralisation import figures as figures_of
from phonoscope_trainer.experiments.auralisation import similarity as experiment
from phonoscope_trainer.experiments.auralisation.feature_cards import Card
from phonoscope_trainer.experiments.auralisation.many_features import ManyFeatures
from phonoscope_trainer.experiments.auralisation.model_signals import (
    INSTRUMENTS,
    ModelSignal,
    model_signals,
    render_signal,
)
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.networks.tagger import MAPS, Tagger
from phonoscope_trainer.recipes.tagger.training import load_tagger

SHOWN_CHORD, SHOWN_KEY = "major", "A3"


def add_experiment(experiments: Verbs) -> None:
    """`auralisation`: Fig. 10, Table 1 and feature cards."""
    auralisation = experiments.add_parser(
        "auralisation", help="what the tagger's features are sensitive to, and which of them hear what"
    )
    auralisation.add_argument("--run", dest="folder", type=Path, default=RUN, help="the tagger's (default %(default)s)")
    auralisation.add_argument(
        "--songs", type=Path, help="a folder of recordings for feature cards (default: songs/ in PHONOSCOPE_DATA)"
    )
    auralisation.add_argument(
        "--clips-per-song", type=int, default=2, help="the loudest of each recording (default %(default)s)"
    )
    auralisation.add_argument(
        "--float32", action="store_true", help="the ways back in float32, too: twice the time, the same to two digits"
    )
    add_figures(auralisation)
    add_threads(auralisation)
    add_json(auralisation)
    auralisation.set_defaults(run=auralisation_experiment)


def auralisation_experiment(
    folder: Path,
    songs: Path | None,
    clips_per_song: int,
    float32: bool,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Deconvolve every feature for every model signal, and for clips of songs."""
    torch.set_num_threads(threads)
    network, _ = load_tagger(folder)
    many = ManyFeatures(network, bfloat16=not float32)
    began_s = time.perf_counter()
    signals = model_signals()
    pictures = _pictures([render_signal(signal) for signal in signals])
    rendering_s = time.perf_counter() - began_s
    found = experiment.correlations(
        many, pictures, MAPS, cache_folder() / "auralisation" / _key(network, pictures, many)
    )
    document: dict[str, object] = {
        "signals": len(signals),
        "features": MAPS,
        "instruments": list(INSTRUMENTS),
        "correlation": {layer: experiment.by_attribute(each, signals) for layer, each in found.values.items()},
        "input_correlation": experiment.by_attribute(
            experiment.correlation_matrix(pictures.flatten(1)).unsqueeze(0).numpy(), signals
        ),
        "silent_share": {layer: experiment.silent_share(each) for layer, each in found.values.items()},
        "effective_sizes": experiment.effective_sizes(network.stages(), LINEAR_STFT),
    }
    began_s = time.perf_counter()
    heard = _song_clips(songs, clips_per_song)
    cards = feature_cards.cards(many, tqdm(heard, desc="songs", unit="clip"), MAPS, LINEAR_STFT) if len(heard) else []
    document["minutes"] = (rendering_s + found.seconds + time.perf_counter() - began_s) / 60
    best = feature_cards.found_by_numbers(cards)
    document |= {
        "clips": len(heard),
        "found": {kind: [*map(asdict, those)] for kind, those in best.items()},
        "cards": [*map(asdict, cards)],
    }
    if place := figures or (json_path and json_path.parent):
        stem = json_path.stem if json_path else "auralisation"
        _draw(document, signals, pictures, place / stem)
        if len(heard):
            figures_of.draw_found(heard[0].numpy(), _shown(many, heard[0], best), place / f"{stem}-found.png")
    write(document, json_path)


def _pictures(samples: Sequence[np.ndarray]) -> Tensor:
    """What the network sees of some clips, `[S, T, F]`."""
    frontend = LinearStft()
    with torch.inference_mode():
        return torch.cat([frontend(torch.from_numpy(each).unsqueeze(0)) for each in samples])


def _song_clips(songs: Path | None, count: int) -> Tensor:
    """What the network sees of the loudest clips of each recording, `[S, T, F]`; empty where there are none."""
    data = named.data_folder()
    place = songs or (data / "songs" if data else None)
    if place is None or not place.is_dir():
        return torch.empty(0)
    paths = sorted(path for path in place.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    chosen = []
    for song in clips(paths, place.name):
        loudness = np.square(song.astype(np.float32)).mean(axis=1)
        chosen += [song[at].astype(np.float32) / FULL_SCALE for at in np.argsort(-loudness)[:count]]
    return _pictures(chosen)


def _key(network: Tagger, pictures: Tensor, many: ManyFeatures) -> str:
    """Changes with the network, the signals and the precision: what finished features are kept under."""
    digest = hashlib.sha256(str(many.precision).encode())
    for tensor in (*network.state_dict().values(), pictures):
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def _draw(document: Mapping[str, object], signals: Sequence[ModelSignal], pictures: Tensor, stem: Path) -> None:
    """`STEM-correlation.png` and `STEM-signals.png`."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    figures_of.draw_correlations(document, stem.with_name(f"{stem.name}-correlation.png"))
    shown = {
        signal.instrument: picture.numpy()
        for signal, picture in zip(signals, pictures, strict=True)
        if (signal.chord, signal.key) == (SHOWN_CHORD, SHOWN_KEY)
    }
    figures_of.draw_signals(shown, stem.with_name(f"{stem.name}-signals.png"))


def _shown(many: ManyFeatures, clip: Tensor, best: Mapping[str, Sequence[Card]]) -> list[figures_of.Found]:
    """What the best feature of each kind hears of a clip `[T, F]`."""
    found = []
    for kind, cards in best.items():
        for card in cards[:1]:
            picture = dict(many.of(clip, [card.feature]))[card.layer][0]
            found.append(figures_of.Found(f"{kind}: {card.layer}, {card.feature}", picture.numpy()))
    return found

"""`phonoscope-train experiment tagger`: accuracy on unseen songs, shortcuts, and the first layer's filters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, add_threads, write
from phonoscope_trainer.commands.tagger import rendered_genres
from phonoscope_trainer.corpora import genres, labelled
from phonoscope_trainer.corpora.labelled import LabelledMusic
from phonoscope_trainer.experiments.tagger import figure as tagger_figure
from phonoscope_trainer.experiments.tagger import first_filters
from phonoscope_trainer.experiments.tagger import scores as experiment
from phonoscope_trainer.recipes.tagger.clips import LabelledClips, of_split
from phonoscope_trainer.recipes.tagger.training import load_tagger, untrained

RUN, FILTERS_RUN = Path("runs/tagger"), Path("runs/tagger-2015")


def add_experiment(experiments: Verbs) -> None:
    """`tagger`: how well it names genres."""
    tagger = experiments.add_parser("tagger", help="how well the tagger names genres, and by what")
    tagger.add_argument("--run", dest="folder", type=Path, default=RUN, help="the tagger's (default %(default)s)")
    tagger.add_argument(
        "--filters-run",
        type=Path,
        help=f"whose first filters are drawn before and after training (default: {FILTERS_RUN} where it is found)",
    )
    tagger.add_argument(
        "--songs",
        type=Path,
        nargs="*",
        default=[],
        help="further folders of recordings with the same labels; their test splits are judged, too",
    )
    add_figures(tagger)
    add_threads(tagger)
    add_json(tagger)
    tagger.set_defaults(run=tagger_experiment)


def tagger_experiment(
    folder: Path,
    filters_run: Path | None,
    songs: Sequence[Path],
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Judge a tagger on unseen rendered songs and on labelled folders."""
    torch.set_num_threads(threads)
    network, options = load_tagger(folder)
    music = rendered_genres(threads)
    tested = of_split(music, "test", options.labels)
    groups = [song.group for song in music.of("test")]
    document = experiment.judge(network, tested, groups, options.labels) | {
        "chance": 1 / len(options.labels),
        "shortcuts": _shortcuts(music, tested, options.labels),
        "trained_on_this": options.music == music.digest,
        "variant": options.variant,
    }
    document["labelled_folders"] = {}
    for place in songs:
        other = labelled.load(place)
        found = of_split(other, "test", options.labels)
        document["labelled_folders"][str(place)] = experiment.judge(
            network, found, [song.group for song in other.of("test")], options.labels
        )
    stem = json_path.stem if json_path else "tagger"
    drawn = figures or (json_path and json_path.parent)
    if drawn:
        drawn.mkdir(parents=True, exist_ok=True)
        tagger_figure.draw(document["confusion"], "clips of unseen songs", drawn / f"{stem}-confusion.png")
    document["first_filters"] = _filters(filters_run, drawn / f"{stem}-filters.png" if drawn else None)
    write(document, json_path)


def _shortcuts(music: LabelledMusic, tested: LabelledClips, labels: Sequence[str]) -> dict[str, float]:
    """Accuracy from one figure alone, learned on the training songs."""
    training = of_split(music, "train", labels)
    played = genres.descriptions(music.root)

    def figures_of(split: list[dict[str, Any]], clips: LabelledClips) -> dict[str, list[object]]:
        return {
            "tempo": [float(song["tempo_bpm"]) for song in split],
            "key": [(song["tonic"], song["mode"]) for song in split],
            "singer": [song["singer"] for song in split],
            "sung_share": [float(song["sung_s"]) for song in split],
            "loudness": list(experiment.loudness_db(clips)),
        }

    known = figures_of([played[song.name] for song in music.of("train")], training)
    asked = figures_of([played[song.name] for song in music.of("test")], tested)
    return experiment.shortcuts(known, training.label.tolist(), asked, tested.label.tolist())


def _filters(run: Path | None, figure: Path | None) -> dict[str, object]:
    """The first layer before and after training; empty where no run is given and the usual one is not there."""
    chosen = run or (FILTERS_RUN if FILTERS_RUN.is_dir() else None)
    if chosen is None:
        return {}
    after, options = load_tagger(chosen)
    before = untrained(options)
    if figure:
        first_filters.draw(before, after, figure)
    return {"variant": options.variant, "before": first_filters.edges(before), "after": first_filters.edges(after)}

"""`phonoscope-train experiment inversion`: what every layer keeps, on several corpora."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, add_threads, bar, write
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import Features, features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.inversion import figures as figures_of
from phonoscope_trainer.experiments.inversion import layers as experiment
from phonoscope_trainer.experiments.inversion.excerpts import (
    EXCERPTS_PER_FILE,
    EvaluationSet,
    evaluation_set,
    some_files,
)
from phonoscope_trainer.experiments.inversion.iterative import DescentOptions, compare_with_descent
from phonoscope_trainer.export.recovery import recover
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND, Frontend
from phonoscope_trainer.measures.reconstruction_error import Inverter, inversions
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.feature_inversion.excerpts import PlaceSampler, pieces
from phonoscope_trainer.recipes.feature_inversion.objective import Method
from phonoscope_trainer.recipes.feature_inversion.options import InversionOptions as RecipeOptions
from phonoscope_trainer.recipes.feature_inversion.ridge import linear_inverters
from phonoscope_trainer.recipes.feature_inversion.training import load_inverters

DEFAULTS = experiment.InversionOptions()
RECIPE = RecipeOptions()
DESCENT = DescentOptions()
RUNS = (
    Path("runs/inverters"),
    Path("runs/inverters-deep"),
    Path("runs/inverters-shallow"),
    Path("runs/inverters-conv2"),
    Path("runs/inverters-middle"),
    Path("runs/inverters-head"),
    Path("runs/inverters-fc8"),
)
SHIPPED = Path("model_repository")
USUAL = ("rendered", "mir1k", "real")  # corpora, where a run does not say what it learned from
BESIDE = Path("runs/inverters-aligned")
MEAN_EXCERPTS = 1000  # training excerpts behind the mean one


def add_experiment(experiments: Verbs) -> None:
    """`inversion`: reconstruction errors and figures."""
    inversion = experiments.add_parser("inversion", help="what every layer of the detector keeps of an excerpt")
    inversion.add_argument(
        "--run",
        dest="folders",
        type=Path,
        nargs="+",
        help=f"of the inverters; the last to have a layer counts (default: {', '.join(map(str, RUNS))}, where found, "
        f"else those of the bundle in {SHIPPED})",
    )
    inversion.add_argument("--detector", type=Path, help="its run (default: the one the last of them inverts)")
    inversion.add_argument(
        "--beside",
        type=Path,
        default=BESIDE,
        help="a run of another variant; its joint inverters have a row of that name (default %(default)s, where found)",
    )
    inversion.add_argument(
        "--sketch-pieces",
        type=int,
        default=RECIPE.sketch_pieces,
        help="of music, twelve excerpts each, that the linear inverters are fitted to (default %(default)s)",
    )
    inversion.add_argument("--songs", type=Path, help="a folder of labelled songs (default: songs/ in PHONOSCOPE_DATA)")
    inversion.add_argument("--files", type=int, default=DEFAULTS.files, help="of each corpus (default %(default)s)")
    inversion.add_argument("--draws", type=int, default=DEFAULTS.draws, help="evaluation sets (default %(default)s)")
    inversion.add_argument(
        "--descent-excerpts",
        type=int,
        default=4,
        help="inverted by gradient descent, too, which takes about a minute each (default %(default)s)",
    )
    add_figures(inversion)
    add_threads(inversion)
    add_json(inversion)
    inversion.set_defaults(run=inversion_experiment)


def inversion_experiment(
    folders: Sequence[Path] | None,
    detector: Path | None,
    beside: Path,
    sketch_pieces: int,
    songs: Path | None,
    files: int,
    draws: int,
    descent_excerpts: int,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Measure the inverters of some runs on the test parts of its corpora, and on songs of another kind."""
    torch.set_num_threads(threads)
    with _runs(folders) as chosen:
        training = [checkpoint.options(run) for run in chosen]
        trained = {"comparator": RECIPE.comparator, "corpora": [*filter(named.find, USUAL)], **training[-1]}
        network, standardise = load_detector(detector or Path(trained["detector"]))
        inverters: dict[str, Sequence[Inverter]] = dict(_trained(chosen, trained["methods"]))
    options = experiment.InversionOptions(files, draws, min(draws, DEFAULTS.detailed_draws))
    frontend = Frontend(FRONTEND)
    sets = {
        name: [evaluation_set(tracks, frontend, standardise, seed) for seed in range(draws)]
        for name, tracks in tested_tracks(trained["corpora"], songs, options, frontend).items()
    }
    trained_on = [
        features(named.load(name).of("train"), frontend, bar(f"{name}, train")) for name in trained["corpora"]
    ]
    mean_excerpt = PlaceSampler(trained_on, frontend, standardise).draw(MEAN_EXCERPTS, 0).mean(dim=0)
    inverters["linear"] = linear_inverters(
        tqdm(pieces(trained_on, frontend, standardise, sketch_pieces), desc="linear", unit="batch"), network
    )
    if beside.is_dir():
        inverters[checkpoint.options(beside)["variant"]] = load_inverters(beside)
    judge = experiment.Judge(network, standardise, inverters, trained["comparator"], mean_excerpt, options)
    by_corpus = {name: judge.corpus(tqdm(drawn, desc=name, unit="set")) for name, drawn in sets.items()}
    document = experiment.document(by_corpus)
    if descent_excerpts:
        excerpts = next(iter(sets.values()))[0].excerpts[::EXCERPTS_PER_FILE][:descent_excerpts]
        document["descent"] = compare_with_descent(excerpts, network, inverters["joint"], DESCENT)
    document["training"] = training
    if place := figures or (json_path and json_path.parent):
        _draw(document, sets, judge, place / (json_path.stem if json_path else "inversion"))
    write(document, json_path)


@contextmanager
def _runs(folders: Sequence[Path] | None) -> Iterator[Sequence[Path]]:
    """Those that were named, else those that are found, else one of what ships, for as long as the block lasts."""
    if found := folders or [run for run in RUNS if run.is_dir()]:
        yield found
        return
    with tempfile.TemporaryDirectory() as place:
        recover(SHIPPED, Path(place), "")
        yield [Path(place) / "inverters"]


def _trained(runs: Sequence[Path], methods: Sequence[Method]) -> Iterator[tuple[str, Sequence[Inverter]]]:
    """The inverters of each method, of those runs that have it."""
    for method in methods:
        yield (
            method,
            load_inverters(*(run for run in runs if method in checkpoint.options(run)["methods"]), method=method),
        )


def tested_tracks(
    corpora: Sequence[str], songs: Path | None, options: experiment.InversionOptions, frontend: Frontend
) -> dict[str, list[Features]]:
    """Files of the test splits as long as an excerpt, and of a folder of songs where there is one.

    A corpus without a test split, such as copies of the training music of another, is left out.

    Raises:
        CorpusError: a corpus is missing, or none has a file that can be tested on.
    """
    data = named.data_folder()
    place = songs or (data / "songs" if data and (data / "songs").is_dir() else None)
    tracks = {name: named.load(name).of("test") for name in corpora}
    if place:
        tracks["songs"] = named.load("folder", place).tracks
    if not any(tracks.values()):
        raise CorpusError(f"{', '.join(corpora)}: no file in their test splits")
    heard = {name: features(found, frontend, bar(name)) for name, found in tracks.items() if found}
    long = {name: [each for each in found if len(each.labels) >= EXCERPT_FRAMES] for name, found in heard.items()}
    return {name: some_files(found, options.files) for name, found in long.items() if found}


def _draw(
    document: Mapping[str, object],
    sets: Mapping[str, Sequence[EvaluationSet]],
    judge: experiment.Judge,
    stem: Path,
) -> None:
    """`STEM-errors.png`, `STEM-layers.png` and `STEM-classes.png`."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    figures_of.draw_errors(document, stem.with_name(f"{stem.name}-errors.png"))
    figures_of.draw_classes(document, stem.with_name(f"{stem.name}-classes.png"))
    rows = [row for name, drawn in sets.items() for row in _rows(name, drawn[0], judge)]
    figures_of.draw_inversions(rows, stem.with_name(f"{stem.name}-layers.png"))


def _rows(corpus: str, drawn: EvaluationSet, judge: experiment.Judge) -> list[figures_of.Row]:
    """A sung excerpt and another, where there are both."""
    first = {"vocal": drawn.sung, "non-vocal": ~drawn.sung}
    chosen = {title: int(which.argmax()) for title, which in first.items() if which.any()}
    excerpts = drawn.excerpts[list(chosen.values())]
    found = inversions(excerpts, judge.network, judge.inverters["joint"])
    standardise = judge.standardise

    def log_mel(picture: Tensor) -> Tensor:
        return picture * standardise.std + standardise.mean

    return [
        figures_of.Row(
            f"{corpus}, {title}", log_mel(excerpts[row]), {layer: log_mel(each[row]) for layer, each in found.items()}
        )
        for row, title in enumerate(chosen)
    ]

"""`phonoscope-train maximisation-search` and `experiment maximisation`: what a unit wants to hear."""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from phonoscope_trainer.commands.options import Verbs, add_threads, names
from phonoscope_trainer.corpora import named
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.experiments.maximisation import examples as experiment
from phonoscope_trainer.experiments.maximisation import figures as figures_of
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
from phonoscope_trainer.graphs.maximise import AdamOptions
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.layout import channels_last
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.modern import load_detector
from phonoscope_trainer.recipes.gan.training import load_generator
from phonoscope_trainer.recipes.maximisation import response as responses
from phonoscope_trainer.recipes.maximisation.ascent import LatentMaximiser, Maximiser
from phonoscope_trainer.recipes.maximisation.real_responses import RealResponses, real_responses
from phonoscope_trainer.recipes.maximisation.search import SearchOptions, Tried, search

DEFAULTS = SearchOptions()
SIGNS = {"max": 1, "min": -1}
GENERATOR = Path("runs/gan")
ROW = "lr {lr:<6g} λ {prior_weight:<6g} steps {steps:<5d} FID {fid:<9.4g} response {mean:.2f} ± {std:.2f}"


def add(verbs: Verbs) -> None:
    """`maximisation-search`: which settings to maximise with."""
    search_verb = verbs.add_parser(
        "maximisation-search",
        help="find settings whose examples a detector answers like real music",
        description=responses.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_search(search_verb, required=True)
    search_verb.set_defaults(run=maximisation_search)


def add_search(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Options that say what is searched, and where it is kept."""
    parser.add_argument(
        "--run",
        dest="folder",
        type=Path,
        required=required,
        default=Path("runs/maximisation"),
        help="folder of the search; it goes on where it was stopped" + ("" if required else " (default %(default)s)"),
    )
    parser.add_argument("--gan", type=Path, default=GENERATOR, help="run of the generator (default %(default)s)")
    parser.add_argument("--detector", type=Path, help="its run (default: the one that judged the generator)")
    parser.add_argument("--corpora", type=names, help="whose training music is real (default: the generator's)")
    parser.add_argument(
        "--response", default=DEFAULTS.response, help="such as output, fc7:12, mp6 (default %(default)s)"
    )
    parser.add_argument("--sign", choices=SIGNS, default="max", help="(default %(default)s)")
    for option, kind, meaning in (
        ("learning-rates", float, ""),
        ("prior-weights", float, "λ"),
        ("steps", int, "read off one trajectory"),
    ):
        default = getattr(DEFAULTS, option.replace("-", "_"))
        shown = " ".join(f"{value:g}" for value in default)
        parser.add_argument(f"--{option}", type=kind, nargs="+", default=default, help=f"{meaning} (default {shown})")
    parser.add_argument(
        "--examples", type=int, default=DEFAULTS.examples, help="for each setting (default %(default)s)"
    )
    parser.add_argument("--beta1", type=float, default=DEFAULTS.beta1, help="of Adam (default %(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULTS.seed, help="of every z (default %(default)s)")
    add_threads(parser)


def maximisation_search(folder: Path, threads: int, **given: object) -> None:
    """Search; print the table and draw the best, median and worst setting."""
    options, listener = opened_search(folder, threads, given)
    with latent_maximiser(listener, options, threads) as maximiser:
        tried = search(
            folder,
            maximiser,
            music_responses(folder, listener, options).ranked(options.examples, options.sign),
            options,
        )
    draw_settings(tried, listener, options, folder / "settings.png")
    for each in tried:
        print(ROW.format(**each.row()))


def opened_search(folder: Path, threads: int, given: dict[str, Any]) -> tuple[SearchOptions, experiment.Listener]:
    """The search's folder, opened or found again, and what is asked."""
    torch.set_num_threads(threads)
    gan = given.pop("gan")
    trained = checkpoint.options(gan)
    generator = load_generator(gan)
    detector = given.pop("detector") or Path(trained["detector"])
    options = SearchOptions(
        sign=SIGNS[given.pop("sign")],
        generator=str(gan),
        generator_sha256=_digest(generator),
        detector=str(detector),
        corpora=tuple(given.pop("corpora") or trained["corpora"]),
        learning_rates=tuple(given.pop("learning_rates")),
        prior_weights=tuple(given.pop("prior_weights")),
        steps=tuple(given.pop("steps")),
        **given,  # argparse gave them the types of the options
    )
    network, standardise = load_detector(detector)
    channels_last(network)
    listener = experiment.Listener(generator, network, standardise, responses.parsed(options.response))
    checkpoint.open_run(folder, options)
    return options, listener


def music_responses(folder: Path, listener: experiment.Listener, options: SearchOptions) -> RealResponses:
    """Responses to the training music, from the search's folder or into it."""
    path = folder / "real.npz"
    if not path.exists():
        frontend = Frontend(FRONTEND)
        tracks = [track for name in options.corpora for track in named.load(name).of("train")]
        heard = tqdm(features(tracks, frontend), desc="music", unit="track")
        real_responses(
            heard, frontend, listener.network, listener.standardise, listener.response, options.examples
        ).save(path)
    return RealResponses.load(path)


@contextmanager
def latent_maximiser(listener: experiment.Listener, options: SearchOptions, threads: int) -> Iterator[Maximiser]:
    """The maximiser as it is exported."""
    with tempfile.TemporaryDirectory() as folder:
        yield LatentMaximiser(
            listener.generator,
            listener.standardise,
            listener.network,
            listener.response,
            AdamOptions(beta1=options.beta1),
            Path(folder),
            threads,
        )


def draw_settings(tried: Sequence[Tried], listener: experiment.Listener, options: SearchOptions, path: Path) -> None:
    """Pictures of what the best, the median and the worst setting found."""
    chosen = experiment.landmarks(tried)
    log_mels = {name: listener.log_mel(each.reading.points) for name, each in chosen.items()}
    figures_of.draw_settings(listener.log_mel(options.start()), chosen, log_mels, path)


def _digest(generator: Generator) -> str:
    """SHA-256 of a generator's weights: a search belongs to the weights it was made with."""
    digest = hashlib.sha256()
    for weight in generator.parameters():
        digest.update(weight.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()

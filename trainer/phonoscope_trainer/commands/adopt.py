"""`phonoscope-train adopt`: a network from elsewhere as a listener's bundle."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from phonoscope_trainer.command_line import this_command
from phonoscope_trainer.commands.adopt_doors import Described, open_onnx, open_torch
from phonoscope_trainer.commands.listener_training import Music, music_at_hand, with_learnt
from phonoscope_trainer.commands.options import Verbs, add_threads, names
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.export.adoption import music as at_hand
from phonoscope_trainer.export.adoption.adopt import OCCLUSION, AdoptionOptions, Opened, adopt
from phonoscope_trainer.export.adoption.musicnn import TRAINED_ON, checkpoint_folder, musicnn_listener
from phonoscope_trainer.export.adoption.waveform import adopt_waveform
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.networks.musicnn import LeanMusicnn, load_musicnn
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.label_masker.training import LabelMaskerOptions, load_label_masker
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversionOptions, load_layer_inverters
from phonoscope_trainer.recipes.listened import band_means

MASKER, INVERTERS = LabelMaskerOptions(), LayerInversionOptions()
MUSICNN = "musicnn"
EPILOG = """\
Three doors, and a worked recipe:
  phonoscope-train adopt --torch mypackage.models:make --weights best.pt --labels rock,jazz --frontend frontend.json \\
    --layers features.3,features.7 --golden song.wav frames.npy --out out/mine        a torch module: every rule
  phonoscope-train adopt tagger.onnx --labels labels.txt --frontend sample_rate_hz=16000,bands=96 \\
    --golden song.wav frames.npy --layers relu_3 --out out/tagger                     ONNX on pictures
  phonoscope-train adopt nmp.onnx --waveform --samples 43844 --output StatefulPartitionedCall:1 --labels piano \\
    --out out/notes                                                                   ONNX on the waveform
  phonoscope-train adopt musicnn --out out/musicnn                                    fetched from the package index

What is learnt of a network is trained beside it:
  phonoscope-train adopt … --updates 900 --inverter-updates 600                       a masker, and what layers keep

--golden is a recording and the frames that the network's own front-end makes of it: another front-end is refused, with
the difference and what most likely causes it. Then: phonoscope-serve --model-repository DIR.
"""


def add(verbs: Verbs) -> None:
    """`adopt`: any network as a listener."""
    verb = verbs.add_parser(
        "adopt",
        help="make a bundle of a network from elsewhere",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("source", nargs="?", help=f"an ONNX file, or {MUSICNN}; with --torch nothing")
    verb.add_argument(
        "--out", type=Path, required=True, help="folder of the bundle; a bundle that is there is replaced"
    )
    verb.add_argument("--name", default="", help="of the listener (default: the file's)")
    verb.add_argument("--torch", dest="factory", metavar="PACKAGE.MODULE:FACTORY", help="makes the torch module")
    verb.add_argument("--weights", type=Path, help="the torch module's state dict, read without unpickling code")
    verb.add_argument("--labels", default="", help="comma-separated, or a file of one a line, or `piano`: A0 to C8")
    verb.add_argument(
        "--decision",
        choices=("binary", "multi-class", "multi-label"),
        default="multi-label",
        help="(default %(default)s)",
    )
    verb.add_argument("--threshold", type=float, default=0.5, help="of every label (default %(default)s)")
    verb.add_argument("--frontend", default="", help="a JSON file, or NAME=VALUE,…: see docs/adopting-a-network.md")
    verb.add_argument("--frames", type=int, default=0, help="of an excerpt, where the network's input leaves it free")
    verb.add_argument("--golden", type=Path, nargs=2, metavar=("AUDIO", "FRAMES"), help="what its own front-end makes")
    verb.add_argument("--layers", type=names, default=(), help="modules or inner tensors to be shown, first to last")
    verb.add_argument("--output", default="", help="of an ONNX model with several")
    verb.add_argument("--answers-are", choices=("logits", "probabilities"), help="(default: as its last operator says)")
    verb.add_argument("--waveform", action="store_true", help="the ONNX model takes samples, not pictures")
    verb.add_argument("--samples", type=int, default=0, help="of its input, where that leaves it free")
    verb.add_argument("--sample-rate", type=int, default=22_050, help="of its input, in Hz (default %(default)s)")
    verb.add_argument("--masks", type=int, default=OCCLUSION.masks, help="of the black-box rule (default %(default)s)")
    learning = verb.add_argument_group(
        "what is learnt of it", "from the music at hand; it says itself what has a label"
    )
    learning.add_argument("--corpora", type=names, default=(), help="to learn from (default: what is there)")
    for part, training, default in (("masker", "updates", MASKER), ("inverters", "inverter-updates", INVERTERS)):
        learning.add_argument(
            f"--{part}",
            type=Path,
            metavar="RUN",
            help=f"run of its {part}; without --{training} a finished one is used as it is (default: beside --out)",
        )
        learning.add_argument(
            f"--{training}",
            type=int,
            help=f"of its {part}; 0: none (default: {default.updates} for {MUSICNN}, 0 for others)",
        )
    verb.add_argument("--wheel", type=Path, help=f"the wheel of {MUSICNN}, where it is at hand already")
    add_threads(verb)
    verb.set_defaults(run=run)


def run(
    source: str | None,
    out: Path,
    name: str,
    factory: str | None,
    weights: Path | None,
    labels: str,
    decision: str,
    threshold: float,
    frontend: str,
    frames: int,
    golden: tuple[Path, Path] | None,
    layers: tuple[str, ...],
    output: str,
    answers_are: str | None,
    waveform: bool,
    samples: int,
    sample_rate: int,
    masks: int,
    corpora: tuple[str, ...],
    masker: Path | None,
    updates: int | None,
    inverters: Path | None,
    inverter_updates: int | None,
    wheel: Path | None,
    threads: int,
) -> None:
    """Open whichever door was named, and write what is behind it."""
    torch.set_num_threads(threads)
    if (source is None) == (factory is None):
        raise OptionsError("adopt: name an ONNX file or musicnn, or a torch module with --torch")
    options = AdoptionOptions(out, f"{out.name}", this_command(), OcclusionOptions(masks=masks))
    described = Described(
        name or Path(source or "listener").stem, labels, decision, threshold, frontend, frames, golden, layers
    )
    learning = Learning(
        corpora,
        Learnt(masker, out.with_name(f"{out.name}-masker"), updates),
        Learnt(inverters, out.with_name(f"{out.name}-inverters"), inverter_updates),
    )
    if source == MUSICNN:
        report = adopt(*_musicnn(options, learning, wheel))
    elif waveform and factory is None:
        probabilities = None if answers_are is None else answers_are == "probabilities"
        said = described.waveform(output, samples, sample_rate, probabilities=probabilities)
        report = adopt_waveform(Path(source or ""), said, options)
    else:
        opened = (
            open_torch(factory, weights, described)
            if factory is not None
            else open_onnx(Path(source or ""), described, output, answers_are)
        )
        report = adopt(*_learnt(opened, options, learning))
    print("\n".join(report.lines()))


@dataclass(frozen=True, slots=True)
class Learnt:
    """A run of one part."""

    given: Path | None  # that somebody named
    beside: Path  # where it is otherwise
    updates: int | None  # None: nobody said

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.given or self.beside

    @property
    def is_finished(self) -> bool:
        """Whether somebody named a run and did not ask for training."""
        return self.given is not None and self.updates is None


@dataclass(frozen=True, slots=True)
class Learning:
    """What is learnt, and of which music."""

    corpora: tuple[str, ...]
    masker: Learnt
    inverters: Learnt


def _musicnn(options: AdoptionOptions, learning: Learning, wheel: Path | None) -> tuple[Opened, AdoptionOptions]:
    """The recipe: checkpoint, thresholds and band means from the music at hand, and what learns from it."""
    network = load_musicnn(checkpoint_folder(wheel))
    found, trained = at_hand.corpora_at_hand(learning.corpora), musicnn_listener(network)
    if not found:
        print("no music at hand: thresholds are guessed, and nothing is trained; see `phonoscope-train corpus list`")
        return Opened(trained), options
    train = Music(found, trained).of("train", MASKER.excerpts, MASKER.seed)
    trained = musicnn_listener(network, torch.sigmoid(train.log_odds).mean(dim=0))
    opened = Opened(trained, baseline=band_means(trained, train.log_mel))
    usual = replace(
        learning,
        masker=_or_usual(learning.masker, MASKER.updates),
        inverters=_or_usual(learning.inverters, INVERTERS.updates),
    )
    told = replace(options, training_data=(TRAINED_ON,))
    return _learnt(opened, told, usual, LeanMusicnn(network))


def _or_usual(part: Learnt, updates: int) -> Learnt:
    return part if part.is_finished or part.updates is not None else replace(part, updates=updates)


def _learnt(
    opened: Opened, options: AdoptionOptions, learning: Learning, judge: torch.nn.Module | None = None
) -> tuple[Opened, AdoptionOptions]:
    """With a masker and inverters, from finished runs or trained now, where they are asked for."""
    masker, inverters = learning.masker, learning.inverters
    if masker.is_finished:
        opened = replace(opened, masker=load_label_masker(masker.run, opened.trained))
    if inverters.is_finished:
        opened = replace(opened, inversions=load_layer_inverters(inverters.run, opened.trained))
    data = options.training_data
    if masker.updates or inverters.updates:
        music = music_at_hand(learning.corpora, opened.trained)
        opened = with_learnt(
            opened,
            music,
            (masker.run, inverters.run),
            replace(MASKER, updates=masker.updates) if masker.updates else None,
            replace(INVERTERS, updates=inverters.updates) if inverters.updates else None,
            judge,
        )
        data = (*data, *(at_hand.training_data(corpus) for corpus in music.corpora))
    used = [part.run for part, made in ((masker, opened.masker), (inverters, opened.inversions)) if made is not None]
    commands = tuple(dict.fromkeys(each for run in used for each in checkpoint.commands(run)))
    return opened, replace(options, training_data=data, commands=commands)

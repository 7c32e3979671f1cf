"""`phonoscope-train adopt`: a network from elsewhere as a listener's bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from phonoscope_trainer.command_line import this_command
from phonoscope_trainer.commands.adopt_doors import Described, open_onnx, open_torch
from phonoscope_trainer.commands.options import Verbs, add_threads, bar, names
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.export.adoption import music as at_hand
from phonoscope_trainer.export.adoption.adopt import OCCLUSION, AdoptionOptions, Opened, adopt
from phonoscope_trainer.export.adoption.musicnn import TRAINED_ON, checkpoint_folder, musicnn_listener
from phonoscope_trainer.export.adoption.waveform import adopt_waveform
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.networks.musicnn import LeanMusicnn, load_musicnn
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.label_masker.excerpts import Matchmaker, margins_of
from phonoscope_trainer.recipes.label_masker.training import LabelMaskerOptions, train_label_masker

MASKER = LabelMaskerOptions()
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

--golden is a recording and the frames that the network's own front-end makes of it: another front-end is refused, with
the difference and what most likely causes it. Then: phonoscope-serve --bundle DIR.
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
    verb.add_argument("--corpora", type=names, default=(), help="music to learn a masker from (default: what is there)")
    verb.add_argument(
        "--masker", type=Path, help="run of its masker; trained there if it is not (default: beside --out)"
    )
    verb.add_argument(
        "--updates", type=int, default=MASKER.updates, help="of the masker (default %(default)s; 0: none)"
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
    updates: int,
    wheel: Path | None,
    threads: int,
) -> None:
    """Open whichever door was named, and write what is behind it."""
    torch.set_num_threads(threads)
    if (source is None) == (factory is None):
        raise OptionsError("adopt: name an ONNX file or musicnn, or a torch module with --torch")
    options = AdoptionOptions(out, f"{out.name}", this_command(), OcclusionOptions(masks=masks))
    run_of_masker = masker or out.with_name(f"{out.name}-masker")
    described = Described(
        name or Path(source or "listener").stem, labels, decision, threshold, frontend, frames, golden, layers
    )
    if source == MUSICNN:
        report = adopt(*_musicnn(options, corpora, run_of_masker, updates, wheel))
    elif factory is not None:
        report = adopt(open_torch(factory, weights, described), options)
    elif waveform:
        probabilities = None if answers_are is None else answers_are == "probabilities"
        said = described.waveform(output, samples, sample_rate, probabilities=probabilities)
        report = adopt_waveform(Path(source or ""), said, options)
    else:
        report = adopt(open_onnx(Path(source or ""), described, output, answers_are), options)
    print("\n".join(report.lines()))


def _musicnn(
    options: AdoptionOptions, corpora: tuple[str, ...], folder: Path, updates: int, wheel: Path | None
) -> tuple[Opened, AdoptionOptions]:
    """The recipe: checkpoint, thresholds and band means from the music at hand, and a masker that learns from it."""
    network = load_musicnn(checkpoint_folder(wheel))
    found = at_hand.corpora_at_hand(corpora)
    trained = musicnn_listener(network)
    if not found:
        print("no music at hand: thresholds are guessed, and no masker is trained; see `phonoscope-train corpus list`")
        return Opened(trained), options
    train = at_hand.music_of(found, "train", trained, MASKER.excerpts, MASKER.seed, bar(f"{MUSICNN}, train"))
    trained = musicnn_listener(network, torch.sigmoid(train.log_odds).mean(dim=0))
    with torch.inference_mode():
        parts = [trained.standardise(part).mean(dim=1) for part in train.log_mel.split(64)]
    opened = Opened(trained, baseline=torch.cat(parts).mean(dim=0))
    if not updates:
        return opened, options
    valid = at_hand.music_of(found, "valid", trained, MASKER.validation_excerpts, MASKER.seed, bar(f"{MUSICNN}, valid"))
    own = LabelMaskerOptions(updates=updates, listener=MUSICNN, corpora=tuple(corpus.name for corpus in found))
    both = (
        Matchmaker(each, margins_of(each.log_odds, trained.threshold_logits, trained.decision))
        for each in (train, valid)
    )
    masker = train_label_masker(folder, trained, *both, own, LeanMusicnn(network))
    data = (TRAINED_ON, *(at_hand.training_data(corpus) for corpus in found))
    return (
        Opened(trained, masker, opened.baseline),
        AdoptionOptions(
            options.out,
            options.name,
            options.command,
            options.occlusion,
            options.bank,
            data,
            tuple(checkpoint.commands(folder)),
        ),
    )

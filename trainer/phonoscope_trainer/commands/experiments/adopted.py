"""`phonoscope-train experiment adopted`: an adopted listener against its origin, and its explanations by exchange."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.commands.experiments.judged_bundle import bar_over
from phonoscope_trainer.commands.options import Verbs, add_figures, add_json, add_threads, bar, names, write
from phonoscope_trainer.errors import CorpusError, ExportError
from phonoscope_trainer.experiments.adopted import differences
from phonoscope_trainer.experiments.adopted import figures as drawing
from phonoscope_trainer.experiments.adopted.exchange import AdoptedJudge, AdoptedOptions, matches_of
from phonoscope_trainer.experiments.adopted.shipped import ShippedListener, shipped_listener
from phonoscope_trainer.experiments.explanation.controls import ranks
from phonoscope_trainer.export.adoption.bundle import golden_samples
from phonoscope_trainer.export.adoption.music import corpora_at_hand, music_of
from phonoscope_trainer.export.adoption.musicnn import NAME, checkpoint_folder
from phonoscope_trainer.repository.listeners import listener_of_bundle

DEFAULTS = AdoptedOptions()
DIFFERENTIATED = 12  # excerpts
MEANING = """\
Excerpts of the music at hand, as many of every label, that the listener gives the label; nobody else's truth is needed.

  reference_difference   of musicnn: the largest difference of any tag from its checkpoint run in NumPy, from sound on
  gradient_difference    of musicnn: of the exported gradient from float64 autograd, root mean square over that of the
                         relevance, over excerpts: the median, and gradient_difference_worst, the largest, as served in
                         float32; gradient_difference_in_float64 the largest with the graph's own operators in double
                         precision. Served, some excerpts are far: where a pool or a rectifier hangs between two
                         choices, float32 may take the other
  default                the rule served by default, with regions of its own size: carried, removed_flips, silhouette,
                         baseline_called and controls as in `experiment exchange`
  clear                  the default's of those excerpts that have their label by as much as a host is without it
  sought                 of regions as large that are sought for each excerpt by itself, by gradient ascent, which takes
                         seconds each; `default` is the default rule of the same excerpts. Where a network can be
                         differentiated
  rules                  every rule at the default's area, excerpt by excerpt
"""


def add_experiment(experiments: Verbs) -> None:
    """`adopted`: differences, and evidence by exchange."""
    parser = experiments.add_parser(
        "adopted",
        help="whether an adopted listener is what it was, and what its explanations are worth",
        description=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bundle", type=Path, required=True, help="as `phonoscope-train adopt` left it")
    for name, meaning in (
        ("per_label", "excerpts of every label"),
        ("labels", "that are judged, the most often given"),
        ("music", "excerpts of the test splits that are listened to"),
        ("occluded", "excerpts that the black-box rule is asked about"),
        ("sought", "excerpts whose region is sought for each by itself; 0: none"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=getattr(DEFAULTS, name),
            help=f"{meaning} (default %(default)s)",
        )
    parser.add_argument("--corpora", type=names, default=(), help="whose test splits (default: what is there)")
    parser.add_argument("--wheel", type=Path, help="of musicnn, where it is at hand already")
    add_figures(parser)
    add_threads(parser)
    add_json(parser)
    parser.set_defaults(run=adopted_experiment)


def adopted_experiment(
    bundle: Path,
    per_label: int,
    labels: int,
    music: int,
    occluded: int,
    sought: int,
    corpora: tuple[str, ...],
    wheel: Path | None,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Judge the bundle's rules on its own answers."""
    torch.set_num_threads(threads)
    options = AdoptedOptions(per_label, labels, music, occluded, sought)
    shipped, found = shipped_listener(bundle, threads), corpora_at_hand(corpora)
    if not found:
        raise CorpusError("no music at hand: see `phonoscope-train corpus list`")
    trained = shipped.listener
    listened = music_of(found, "test", trained, options.music, options.seed, bar(f"{trained.name}, test"))
    matches = matches_of(listened, shipped, options)
    judge = AdoptedJudge(shipped, listened, matches, options, bar_over(trained.name))
    ranked, counts = judge.ranked(shipped.default, len(matches.row))
    values, area = judge.default(ranked, counts), counts.numpy() / ranked[0].numel()
    document: dict[str, Any] = {
        "listener": trained.name,
        "tags": len(np.unique(matches.label)),
        "judged": [trained.labels[k] for k in np.unique(matches.label)],
        "default": {"rule": shipped.default, "area": float(area.mean()), **judge.summary(values)},
        "clear": judge.clearly(values),
        "rules": {},
        "options": asdict(options),
    }
    for rule in shipped.rules:
        count = min(options.occluded, len(counts)) if rule == "occlusion" else len(counts)
        order, own = (ranked, counts) if rule == shipped.default else judge.ranked(rule, count)
        row = judge.summary(judge.beside(order[:count], counts[:count]))
        own_area = float(own.float().mean() / order[0].numel())
        document["rules"][rule] = {"area": float(area[:count].mean()), "own_area": own_area, **row}
    document |= _sought(judge, ranked, counts, bundle)
    document |= _differences(shipped, judge, bundle, wheel)
    if place := figures or (json_path and json_path.parent):
        place.mkdir(parents=True, exist_ok=True)
        stem = json_path.stem if json_path else "adopted"
        drawing.draw(document, place / f"{stem}.png")
        drawing.draw_examples(shipped, listened, matches, place / f"{stem}-examples.png")
    write(document, json_path)


def _sought(judge: AdoptedJudge, ranked: Tensor, counts: Tensor, bundle: Path) -> dict[str, Any]:
    """Beside the default rule on the same excerpts; nothing where the network's graph is not translated to torch."""
    count = min(judge.options.sought, len(counts))
    try:
        listener = listener_of_bundle(bundle, judge.shipped.listener.name)
    except ExportError:
        return {}
    if not count:
        return {}
    scores = judge.sought(listener, counts[:count])
    default = judge.summary(judge.beside(ranked[:count], counts[:count]))
    return {"sought": {**judge.summary(judge.beside(ranks(scores), counts[:count])), "default": default}}


def _differences(shipped: ShippedListener, judge: AdoptedJudge, bundle: Path, wheel: Path | None) -> dict[str, float]:
    """Of musicnn, whose checkpoint is known."""
    if shipped.listener.name != NAME:
        return {}
    checkpoint, rows = checkpoint_folder(wheel), slice(0, DIFFERENTIATED)
    label = torch.from_numpy(judge.matches.label[rows].astype(np.int32)).unsqueeze(1)
    apart = differences.of_gradients(
        shipped, judge.listened.log_mel[judge.matches.row[rows]], label, bundle, checkpoint
    )
    return {
        "reference_difference": differences.of_tags(shipped, golden_samples(shipped.listener), checkpoint),
        "gradient_difference": float(apart.served.median()),
        "gradient_difference_worst": float(apart.served.max()),
        **({} if apart.doubled is None else {"gradient_difference_in_float64": float(apart.doubled.max())}),
    }

"""`phonoscope-train experiment peers`: what ships beside Captum's methods."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from phonoscope_trainer.commands.judged_bundle import add_bundle, bar_over, figure_path, tested
from phonoscope_trainer.commands.options import Verbs, write
from phonoscope_trainer.experiments import peers, trust_figures
from phonoscope_trainer.experiments.explained_detector import of_bundle
from phonoscope_trainer.experiments.explained_network import ExplainedNetwork, network_of_bundle
from phonoscope_trainer.experiments.explanation_loss_excerpts import balanced_excerpts
from phonoscope_trainer.frontend import FRONTEND, Frontend
from phonoscope_trainer.graphs.description import EXCERPT

DEFAULTS = peers.PeerOptions()
SHOWN = ("loss", "removed_flips", "faithfulness")


def add_experiment(experiments: Verbs) -> None:
    """`peers`: scores and seconds."""
    parser = experiments.add_parser(
        "peers", help="others' explanations beside ours: the same excerpts, the same area, and seconds"
    )
    parser.add_argument(
        "--excerpts",
        type=int,
        default=DEFAULTS.excerpts,
        help="of each corpus, half of each class (default %(default)s)",
    )
    parser.add_argument(
        "--costly-excerpts",
        type=int,
        default=DEFAULTS.costly_excerpts,
        help=f"of them, for {' and '.join(DEFAULTS.costly)}, and for curves (default %(default)s)",
    )
    parser.add_argument(
        "--lime-samples", type=int, default=DEFAULTS.lime_samples, help="passes of LIME (default %(default)s)"
    )
    add_bundle(parser)
    parser.set_defaults(run=peers_experiment)


def peers_experiment(
    excerpts: int,
    costly_excerpts: int,
    lime_samples: int,
    model_repository: Path,
    masker: Path | None,
    corpora: Sequence[str] | None,
    figures: Path | None,
    threads: int,
    json_path: Path | None,
) -> None:
    """Explain the same excerpts by every rule and every peer."""
    torch.set_num_threads(threads)
    options = peers.PeerOptions(excerpts, min(costly_excerpts, excerpts), lime_samples=lime_samples)
    explained = network_of_bundle(model_repository, masker, threads)
    frontend = Frontend(FRONTEND)
    drawn, corpus = peers.together(
        {
            name: balanced_excerpts(name, tracks, frontend, explained.is_vocal, options.excerpts, options.seed)
            for name, tracks in tested(corpora).items()
        }
    )
    costly = peers.costly_rows(drawn, corpus, options.costly_excerpts)
    served, engines = rules(model_repository, masker, explained, threads)
    found = peers.explain(drawn, explained, served, costly, options, bar_over("peers"))
    counts = peers.default_counts(found.relevance[explained.default], explained.default)
    document = peers.document(peers.Examination(drawn, corpus, explained, counts, options), found, costly)
    document |= {"engines": engines, "threads": threads, "options": asdict(options)}
    print(peers.table(document, SHOWN), file=sys.stderr)
    if path := figure_path(figures, json_path, "peers"):
        trust_figures.draw_peers(document, path)
    write(document, json_path)


def rules(
    repository: Path, masker: Path | None, explained: ExplainedNetwork, threads: int
) -> tuple[dict[str, peers.Method], dict[str, str]]:
    """Each rule as it is served, detector included, and what runs it; a rule without a graph is left to PyTorch."""
    methods: dict[str, peers.Method] = {}
    engines = {}
    for rule in explained.relevances(torch.zeros(1, *EXCERPT)):
        exported = of_bundle(repository, masker, threads, chosen=(rule,))
        if rule in exported.relevances(torch.zeros(1, *EXCERPT)):
            methods[rule] = _rule(exported.relevances, rule)
            engines[rule] = "ONNX Runtime" + (", the masker in PyTorch" if masker and rule == "masker" else "")
        else:
            methods[rule], engines[rule] = _rule(explained.relevances, rule), "PyTorch, all rules at once"
    return methods, engines


def _rule(relevances: Callable[[Tensor], Mapping[str, Tensor]], rule: str) -> peers.Method:
    @torch.inference_mode()
    def explain(standardised: Tensor) -> Tensor:
        return relevances(standardised)[rule]

    return explain

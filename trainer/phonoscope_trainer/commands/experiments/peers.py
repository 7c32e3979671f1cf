"""`phonoscope-train experiment peers`: what ships beside Captum's methods."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs
from phonoscope_trainer.experiments.explanation.detector import of_bundle
from phonoscope_trainer.experiments.explanation.excerpts import balanced_excerpts
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust import figures as trust_figures
from phonoscope_trainer.experiments.trust import peers
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend
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
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Explain the same excerpts by every rule and every peer."""
    judged = JudgedBundle(**bundle)
    options = peers.PeerOptions(excerpts, min(costly_excerpts, excerpts), lime_samples=lime_samples)
    explained = judged.explained()
    frontend = Frontend(FRONTEND)
    drawn, corpus = peers.together(
        {
            name: balanced_excerpts(name, tracks, frontend, explained.is_vocal, options.excerpts, options.seed)
            for name, tracks in judged.split("test").items()
        }
    )
    costly = peers.costly_rows(drawn, corpus, options.costly_excerpts)
    served, engines = rules(judged, explained)
    found = peers.explain(drawn, explained, served, costly, options, bar_over("peers"))
    counts = peers.default_counts(found.relevance[explained.default], explained.default)
    examination = peers.Examination(drawn, corpus, explained, counts, options)
    baselines = judged.baselines(explained).scores(drawn.log_mel, torch.from_numpy(drawn.is_vocal))
    document = peers.document(examination, found, costly, baselines)
    document |= {"engines": engines, "threads": judged.threads, "options": asdict(options)}
    print(peers.table(document, SHOWN), file=sys.stderr)
    judged.leave(document, "peers", partial(trust_figures.draw_peers, document))


def rules(judged: JudgedBundle, explained: ExplainedNetwork) -> tuple[dict[str, peers.Method], dict[str, str]]:
    """Each rule as it is served, detector included, and what runs it; a rule without a graph is left to PyTorch."""
    methods: dict[str, peers.Method] = {}
    engines = {}
    for rule in explained.relevances(torch.zeros(1, *EXCERPT)):
        exported = of_bundle(judged.model_repository, judged.masker, judged.threads, chosen=(rule,))
        if rule in exported.relevances(torch.zeros(1, *EXCERPT)):
            methods[rule] = _rule(exported.relevances, rule)
            engines[rule] = "ONNX Runtime" + (", the masker in PyTorch" if judged.masker and rule == "masker" else "")
        else:
            methods[rule], engines[rule] = _rule(explained.relevances, rule), "PyTorch, all rules at once"
    return methods, engines


def _rule(relevances: Callable[[Tensor], Mapping[str, Tensor]], rule: str) -> peers.Method:
    @torch.inference_mode()
    def explain(standardised: Tensor) -> Tensor:
        return relevances(standardised)[rule]

    return explain

"""`phonoscope-train experiment stems`: whether explanations point at the voice, by true stems."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from phonoscope_trainer.commands.experiments.judged_bundle import JudgedBundle, add_bundle, bar_over
from phonoscope_trainer.commands.options import Verbs
from phonoscope_trainer.experiments.trust import figures as trust_figures
from phonoscope_trainer.experiments.trust import stem_pictures, stems
from phonoscope_trainer.frontends.mel import FRONTEND, Frontend

DEFAULTS = stems.StemOptions()


def add_experiment(experiments: Verbs) -> None:
    """`stems`: relevance mass, rank accuracy and the pointing game."""
    parser = experiments.add_parser("stems", help="whether explanations of singing point at the voice, by true stems")
    parser.add_argument(
        "--excerpts", type=int, default=DEFAULTS.excerpts, help="of each corpus, at most (default %(default)s)"
    )
    add_bundle(parser)
    parser.set_defaults(run=stems_experiment)


def stems_experiment(
    excerpts: int,
    **bundle: Any,  # noqa: ANN401 - the options of `add_bundle`, as argparse typed them
) -> None:
    """Compare regions with the voice's own energy, on sung excerpts that the detector gets right."""
    judged, options = JudgedBundle(**bundle), stems.StemOptions(excerpts)
    explained = judged.explained()
    frontend = Frontend(FRONTEND)
    baselines = judged.baselines(explained)
    by_corpus = {}
    for name, tracks in judged.split("test").items():
        sung = stems.sung_excerpts(name, tracks, frontend, explained, options)
        by_corpus[name] = (sung, stems.measure(sung, explained, baselines, options, bar_over(name)))
    document = stems.summary(by_corpus, explained.default) | {"rule": explained.default, "options": asdict(options)}

    def draw(path: Path) -> None:
        trust_figures.draw_stems(document, path)
        for name, (sung, _) in by_corpus.items():
            stem_pictures.draw_examples(sung, explained, path.with_name(f"{path.stem}-{name}.png"))

    judged.leave(document, "stems", draw)

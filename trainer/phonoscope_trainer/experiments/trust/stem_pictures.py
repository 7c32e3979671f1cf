"""Pictures of explanations beside the voice's own energy, for people who read one for the first time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from phonoscope_trainer.experiments.explanation.loss_figures import brightness, show_picture
from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.experiments.trust.stems import SungExcerpts
from phonoscope_trainer.graphs.rules import ALPHAS

ROWS = 2  # evenly spread over the excerpts, not chosen
DPI = 56  # small enough for a document


def draw_examples(excerpts: SungExcerpts, explained: ExplainedNetwork, path: Path) -> None:
    """What is heard, the voice's share of it, and every rule's region where it is seen in the excerpt."""
    chosen = np.linspace(0, len(excerpts) - 1, ROWS + 2).astype(int)[1:-1]
    log_mel = excerpts.log_mel[chosen]
    relevances = explained.relevances(explained.standardise(log_mel))
    figure = Figure((2.3 * (2 + len(relevances)), 2.1 * ROWS), layout="constrained")
    grid = figure.subplots(ROWS, 2 + len(relevances), sharex=True, sharey=True, squeeze=False)
    for number, line in enumerate(grid):
        picture = brightness(log_mel[number])
        pictures = {"excerpt": picture, "voice's share": excerpts.share[chosen[number]].numpy()}
        for rule, relevance in relevances.items():
            pictures[f"{rule}, α = {ALPHAS[rule]:g}"] = picture * (relevance[number] >= ALPHAS[rule]).numpy()
        for axes, (title, shown) in zip(line, pictures.items(), strict=True):
            show_picture(axes, shown, title if number == 0 else "")
        line[0].set_ylabel("Hz")
    for axes in grid[-1]:
        axes.set_xlabel("s")
    figure.savefig(path, dpi=DPI)

"""The rule served by default at its own threshold, in the light of the explanation loss: every excerpt, every control.

Controls are regions of the same area, excerpt by excerpt, of which the strongest know something: where the rule points
half an excerpt earlier (`shifted`), in another excerpt with the same answer (`other`), or usually (`constant`). One
changes the content instead: `silhouette` shows an excerpt of the other answer through the region.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from phonoscope_trainer.experiments.explanation.controls import CONTROLS, first_bins, random_block, ranks, shifted
from phonoscope_trainer.experiments.explanation.excerpts import Excerpts
from phonoscope_trainer.experiments.explanation.loss import Judge, Tally
from phonoscope_trainer.experiments.explanation.partners import partners
from phonoscope_trainer.experiments.explanation.rates import Rates
from phonoscope_trainer.graphs.exchange import at_level_of
from phonoscope_trainer.graphs.mask import M1
from phonoscope_trainer.graphs.rules import ALPHAS

PLACED = ("shifted", "other", "constant")
SILHOUETTE = "silhouette"
HEARD_CONTROL = random_block.__name__  # the control that is heard beside the region


@torch.inference_mode()
def default_rule(judge: Judge, usual: Tensor, excerpts: Excerpts) -> dict[str, object]:
    """The row of a document.

    Args:
        judge: the detector, its explanations and how its sounds are heard.
        usual: `[2, T, M]` the mean region of answers that are not `vocal`, and of those that are.
        excerpts: of both answers, from two recordings or more each.

    Raises:
        CorpusError: an excerpt has none of the other answer, or of its own, in another recording.
    """
    tally, rule = Tally(), judge.rule
    ranked, counts = _ranked(judge, rule, excerpts)
    rng = np.random.default_rng(judge.options.seed)
    everything = excerpts.is_vocal, excerpts.track, np.ones(len(excerpts), bool), rng
    other, third = (partners(*everything, same_answer=same) for same in (True, False))
    for number, batch in enumerate(judge.batches(excerpts, "default")):
        rows = np.arange(number * judge.options.batch, number * judge.options.batch + len(batch))
        region = first_bins(ranked[rows], counts[rows])
        controls = {name: first_bins(each, counts[rows]) for name, each in judge.controls(batch).items()}
        controls |= {
            "shifted": shifted(region),
            "other": first_bins(ranked[other[rows]], counts[rows]),
            "constant": first_bins(ranks(usual[torch.from_numpy(batch.is_vocal).long()]), counts[rows]),
        }
        strangers = replace(batch, log_mel=at_level_of(batch.log_mel, excerpts.log_mel[third[rows]]))
        labels = torch.from_numpy(batch.is_vocal)
        tally.add(region.float().mean(dim=(1, 2)), "area")
        tally.add(judge.changed(batch, region, M1), "loss")
        tally.add(judge.changed(batch, ~region, M1), "removed")
        tally.add(judge.heard_label(batch, region.float()) != labels, "heard")
        tally.add(judge.heard_label(batch, controls[HEARD_CONTROL].float()) != labels, "heard control")
        tally.add(judge.changed(strangers, region, M1), SILHOUETTE, "loss")
        for name, control in controls.items():
            tally.add(judge.changed(batch, control, M1), name, "loss")
            tally.add(judge.changed(batch, ~control, M1), name, "removed")
    return _document(judge, rule, tally, excerpts)


def _ranked(judge: Judge, rule: str, excerpts: Excerpts) -> tuple[Tensor, Tensor]:
    """Ranks of every excerpt's bins by the rule, int16 `[N, T, M]`, and the bins of its regions, `[N]`."""
    ranked, counts = [], []
    for batch in judge.batches(excerpts, rule):
        relevance = judge.detector.relevances(judge.detector.standardise(batch.log_mel))[rule]
        ranked.append(ranks(relevance).to(torch.int16))
        counts.append((relevance >= ALPHAS[rule]).sum(dim=(1, 2)))
    return torch.cat(ranked), torch.cat(counts)


def _document(judge: Judge, rule: str, tally: Tally, excerpts: Excerpts) -> dict[str, object]:
    rates = Rates.of(excerpts)
    area, loss, removed, heard, heard_control = (
        rates.balanced(tally.of(name)) for name in ("area", "loss", "removed", "heard", "heard control")
    )
    names = (*CONTROLS, *PLACED)
    return {
        "rule": rule,
        "alpha": ALPHAS[rule],
        "n": len(excerpts),
        "area": area["mean"],
        "loss": loss,
        "removed_flips": removed["mean"],
        "heard_loss": heard["mean"],
        "heard_control": heard_control["mean"],
        "heard_outside_db": judge.options.outside_db,
        "intervals": {"area": area, "removed_flips": removed, "heard_loss": heard, "heard_control": heard_control},
        "controls": {name: rates.balanced(tally.of(name, "loss")) for name in (*names, SILHOUETTE)},
        "control_removed_flips": {name: rates.balanced(tally.of(name, "removed")) for name in names},
        "per_class": {
            name: rates.per_class(tally.of(key))
            for name, key in (("area", "area"), ("loss", "loss"), ("removed_flips", "removed"))
        },
        "controls_per_class": {name: rates.per_class(tally.of(name, "loss")) for name in (*names, SILHOUETTE)},
        "pooled": {"loss": rates.pooled(tally.of("loss")), "vocal_share": excerpts.vocal_share},
    }

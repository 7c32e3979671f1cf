"""The chain from corpora to a bundle as commands, and how much each is given at the papers' scale and at a CPU's.

`paper`: 20 epochs of 2000 batches of 32 for the detector (Schlüter & Grill 2015), 30 epochs for the inverters (Mishra
et al. 2018), 600 000 iterations for the generator (Mishra et al. 2019); for the masker and the tagger, which no paper
trained so, several times what a CPU has patience for. `cpu`: what two cores do in a day.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Scale = Literal["paper", "cpu"]
SCALES: tuple[Scale, ...] = get_args(Scale)


@dataclass(frozen=True, slots=True)
class Step:
    """One command, with what stands in braces to be filled in, and the options that a scale adds."""

    command: str
    paper: str = ""
    cpu: str = ""


PLAN = (
    Step(
        "detector --run {runs}/detector --corpora {corpora} --threads {threads}",
        paper="--recipe schlueter-2015 --updates 40000",
        cpu="--updates 3000 --level-agreement 1",
    ),
    Step(
        "explanation-inverter --run {runs}/inverter --detector {runs}/detector --epochs 30 --threads {threads}",
        paper="--excerpts 120000",
        cpu="--excerpts 12000",
    ),
    Step(
        "masker --run {runs}/masker --detector {runs}/detector --threads {threads}",
        paper="--updates 12000 --batch 32",
        cpu="--updates 2500",
    ),
    Step("doubt --run {runs}/doubt --detector {runs}/detector --threads {threads}"),
    Step(
        "feature-inverters --run {runs}/inverters --detector {runs}/detector --method both --threads {threads}",
        paper="--epochs 30 --batches-per-epoch 3000 --batch 32",
        cpu="--epochs 16 --batches-per-epoch 120 --batch 16 --wide-updates 2 --wide-rows 2 --batch-statistics 0.7"
        " --learning-rate 0.005 --adam-beta2 0.99 --schedule one-cycle",
    ),
    Step("tagger --run {runs}/tagger --threads {threads}", paper="--updates 5000 --batch 32", cpu="--updates 700"),
    Step(
        "gan --run {runs}/gan --detector {runs}/detector --bfloat16 --threads {threads}",
        paper="--iterations 600000",
        cpu="--kernels 5x5 --iterations 6000 --critic-updates 2 --learning-rate 0.0003 --critic-learning-rate 0.0005"
        " --averaging 0.999",
    ),
    Step("maximisation-search --run {runs}/maximisation --gan {runs}/gan --threads {threads}"),
    Step(
        "export --detector {runs}/detector --inverter {runs}/inverter --masker {runs}/masker --doubt {runs}/doubt"
        " --inverters {runs}/inverters --tagger {runs}/tagger --maximisation {runs}/gan {runs}/maximisation"
        " --name {name} --out {out}"
    ),
)


def steps(
    scale: Scale,
    runs: Path,
    out: Path,
    name: str,
    corpora: Sequence[str],
    threads: int,
    start: Path | None = None,
) -> list[list[str]]:
    """The arguments of each step's command, in order; the first, the detector's, with what it is to start from."""
    places = {"runs": runs, "out": out, "name": name, "corpora": ",".join(corpora), "threads": threads}
    planned = [
        [word.format(**places) for word in shlex.split(f"{step.command} {getattr(step, scale)}")] for step in PLAN
    ]
    if start is not None:
        planned[0] += ["--start", str(start)]
    return planned

"""What is judged: a detector and the rules that explain it, from training runs or from what ships."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor

from phonoscope_trainer.bundle import MANIFEST
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.explanation_inverter import normalise
from phonoscope_trainer.graphs.gradient import KEPT, GradientGraph
from phonoscope_trainer.graphs.masker import SEEN
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.recipes.detector import load_detector
from phonoscope_trainer.recipes.explanation_inverter import load_inverter
from phonoscope_trainer.recipes.masker import load_masker

PAPER_ALPHA = 0.6  # EUSIPCO 2018, section III.C
# Where each rule's relevance is cut unless told otherwise; the first that there is, is served by default. The
# gradient's ½ is neutral: at 0.6 a bin speaks for the label a fifth as much as the one that does most.
ALPHAS = {"masker": 0.5, "gradient": 0.6, "inversion": PAPER_ALPHA}


@dataclass(frozen=True, slots=True)
class ExplainedDetector:
    """A detector under explanation."""

    logits: Callable[[Tensor], Tensor]  # `[B]` of standardised excerpts `[B, 115, 80]`
    relevances: Callable[[Tensor], Mapping[str, Tensor]]  # rule → `[B, 115, 80]` in [0, 1], of standardised excerpts
    standardise: Standardise
    threshold: float  # above it the label is `vocal`

    def is_vocal(self, standardised: Tensor) -> Tensor:
        """The labels `[B]` (bool) of standardised excerpts `[B, 115, 80]`."""
        return self.logits(standardised) > math.log(self.threshold / (1 - self.threshold))


def of_runs(detector: Path, inverter: Path, masker: Path | None, threshold: float) -> ExplainedDetector:
    """The networks of training runs, in PyTorch.

    Raises:
        CheckpointError: one of the folders holds no readable run.
    """
    network, standardise = load_detector(detector)
    network.requires_grad_(requires_grad=False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub omits this form
    inversion, gradient = load_inverter(inverter), GradientGraph(network, threshold)
    masking = load_masker(masker) if masker else None

    def relevances(standardised: Tensor) -> Mapping[str, Tensor]:
        activations = network.activations(standardised)
        found = {
            "inversion": normalise(inversion(activations["fc8"])),
            "gradient": gradient(standardised, *(activations[name] for name in (*KEPT, "logit"))),
        }
        return found | ({"masker": masking(*(activations[name] for name in SEEN))} if masking else {})

    return ExplainedDetector(lambda standardised: network(standardised)[:, 0], relevances, standardise, threshold)


def of_bundle(repository: Path, masker: Path | None, threads: int) -> ExplainedDetector:
    """The exported graphs of a model repository, in ONNX Runtime; with a `masker` that is not exported yet.

    Raises:
        CheckpointError: `masker` holds no readable run.
        ExportError: there is no bundle at `repository`.
    """
    manifest = repository / MANIFEST
    if not manifest.is_file():
        raise ExportError(f"{repository}: no {MANIFEST}, so no bundle to judge; export one first")
    detector = _session(repository, "detector", threads)
    rules = {
        rule: _session(repository, graph, threads)
        for rule, graph in (("inversion", "explanation_inverter"), ("gradient", "gradient"), ("masker", "masker"))
        if (repository / graph).is_dir() and not (rule == "masker" and masker)
    }
    masking = load_masker(masker) if masker else None

    def relevances(standardised: Tensor) -> Mapping[str, Tensor]:
        wanted = {value.name for session in rules.values() for value in session.get_inputs()} | set(SEEN)
        names = sorted(wanted - {"excerpt"})
        values = detector.run(names, {"excerpt": standardised.numpy()})
        known = dict(zip(names, values, strict=True)) | {"excerpt": standardised.numpy()}
        found = {}
        for rule, session in rules.items():
            feeds = {value.name: known[value.name] for value in session.get_inputs()}
            found[rule] = torch.from_numpy(session.run(["relevance"], feeds)[0])
        if masking:
            found["masker"] = masking(*(torch.from_numpy(known[name]) for name in SEEN))
        return found

    def logits(standardised: Tensor) -> Tensor:
        return torch.from_numpy(detector.run(["logit"], {"excerpt": standardised.numpy()})[0])[:, 0]

    threshold = float(json.loads(manifest.read_text(encoding="utf-8"))["threshold"])
    return ExplainedDetector(logits, relevances, _standardise(repository), threshold)


def _session(repository: Path, graph: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    path = repository / graph / "1" / "model.onnx"
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _standardise(repository: Path) -> Standardise:
    """The band statistics, read out of the exported front-end: masks apply to raw and to standardised excerpts."""
    model = onnx.load(repository / "frontend" / "1" / "model.onnx")
    values = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    names = ("standardise.mean", "standardise.std")
    if missing := [name for name in names if name not in values]:
        raise ExportError(f"{repository}: frontend holds no {missing[0]}; export it with this version")
    return Standardise(*(torch.tensor(values[name]) for name in names))

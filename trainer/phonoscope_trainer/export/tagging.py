"""The tagger as a listener: what it predicts, why, and what becomes of that in other music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from phonoscope_trainer.export.exchange import exchange_heard, exchanged
from phonoscope_trainer.export.explanation_ensembles import (
    answers,
    asked,
    evidence,
    explain,
    explained_by,
    heard,
    hears,
    masked,
)
from phonoscope_trainer.export.labelled_bank import LabelledBankOptions, tagger_bank
from phonoscope_trainer.export.layer_inversion import layer_inversion_part
from phonoscope_trainer.export.part import Part
from phonoscope_trainer.export.tagger_rules import TaggerRules
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft
from phonoscope_trainer.frontends.parametric import Picture
from phonoscope_trainer.graphs import compose
from phonoscope_trainer.graphs.answered_label import PREDICTED, asked_label_graph
from phonoscope_trainer.graphs.asked_label import NO_CONTRAST
from phonoscope_trainer.graphs.derived_gradient import derived_rule_graph
from phonoscope_trainer.graphs.description import Ensemble, Graph, part_of
from phonoscope_trainer.graphs.exchange_trials import TRIALS
from phonoscope_trainer.graphs.labelled_bank import LabelledBank
from phonoscope_trainer.graphs.labelled_exchange import (
    CHOICE,
    labelled_exchange_graph,
    labelled_exchange_sound_graph,
)
from phonoscope_trainer.graphs.linear_sound import CentredTransform, linear_listen_graph
from phonoscope_trainer.graphs.listener import DETECTOR, Listener
from phonoscope_trainer.graphs.mask import mask_graph
from phonoscope_trainer.graphs.rules import TAGGER_ALPHA
from phonoscope_trainer.graphs.tagger import Given, LogOdds, tagger_graph
from phonoscope_trainer.graphs.tagger_frontend import tagger_frontend_graph
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, Tagger
from phonoscope_trainer.recipes.tagger.training import load_tagger
from phonoscope_trainer.repository.listeners import LINEAR_PARAMETERS

NAME = "tagger"
NO_FURTHER = TaggerRules()
RULE = "gradient"
PREDICT_HOP_FRAMES = 43  # about a second
GOLDEN_AREA = 0.2
# What the manifest says of a detector, which it described by itself as long as there was nothing else.
DETECTOR_ENTRY = {
    "name": DETECTOR.name,
    "suffix": DETECTOR.suffix,
    "network": DETECTOR.network,
    "frontend": DETECTOR.frontend,
    "decision": "binary",
    "labels": ["vocal", "instrumental"],
}


def label_names(labels: Sequence[str]) -> list[str]:
    """Labels as they are typed: letters, digits and spaces."""
    return ["".join(each for each in label.lower() if each.isalnum() or each == " ") for label in labels]


def tagging(run: Path, clip: Tensor, bank: LabelledBankOptions | None) -> Part:
    """The same of a run.

    Raises:
        CheckpointError: the run cannot be used.
        ExportError: see `tagger_bank`.
    """
    network, options = load_tagger(run)
    return tagging_part(network, options.labels, clip, bank)


def tagger_listener(labels: Sequence[str]) -> Listener:
    """What models of the bundle are composed of."""
    return Listener(
        NAME,
        network="tagger",
        frontend="tagger_frontend",
        suffix=f"_{NAME}",
        picture=CLIP_SHAPE,
        samples=LINEAR_STFT.clip_samples,
        answers=len(labels),
        standardised="magnitude",
    )


def tagging_part(
    network: Tagger,
    labels: Sequence[str],
    clip: Tensor,
    bank: LabelledBankOptions | None,
    further: TaggerRules = NO_FURTHER,
) -> Part:
    """Graphs, ensembles and the manifest's entry of the tagger as a listener; `auralisation_part` has the network.

    Args:
        network: folded, in evaluation mode.
        labels: its classes.
        clip: `[1, N]` of which golden vectors are made.
        bank: how other music is made; None: there is none.
        further: rules beside the gradient.

    Raises:
        ExportError: see `tagger_bank`.
    """
    listener = tagger_listener(labels)
    graphs, explaining = _rule(network, listener)
    others = [explained_by(rule, graph, listener) for rule, graph in further.graphs.items()]
    shared = Part(
        (*graphs, *further.graphs.values(), mask_graph(Given(), listener), linear_listen_graph(LINEAR_STFT, listener)),
        (_predict(listener), explaining, *others, evidence(listener), masked(listener), heard(listener)),
        {
            listener.model("predict"): {"samples": clip},
            **{each.name: asked(each, _golden_question(clip)) for each in (explaining, *others)},
            listener.model("heard"): _golden_region(clip, listener),
        },
    )
    if further.inversions:
        transform, picture = CentredTransform(LINEAR_STFT), Picture(LINEAR_PARAMETERS)
        shared = shared.with_further(
            layer_inversion_part(further.inversions, listener, picture, LINEAR_PARAMETERS, transform, clip)
        )
    if bank is None:
        return _with_entry(shared, labels, None, further)
    asking = part_of(explaining, ("log_mel", "relevance", "probability"))
    known = (tagger_frontend_graph(LinearStft()), tagger_graph(network, listener), *graphs)

    def ask(inputs: Any) -> Any:  # noqa: ANN401 - tensors by name
        whole = {"contrast": torch.full_like(inputs["label"], NO_CONTRAST)} | dict(inputs)
        return compose.run(asking, known, whole)

    made, said = tagger_bank(bank, list(labels), ask)
    exchange = exchange_parts(made, listener, clip)
    return _with_entry(shared.with_further(exchange), labels, said, further)


def exchange_parts(bank: LabelledBank, listener: Listener, clip: Tensor) -> Part:
    """The graphs that hold the bank, and their ensembles."""
    graphs = (
        labelled_exchange_graph(bank, Given(), listener),
        labelled_exchange_sound_graph(bank, CentredTransform(LINEAR_STFT), listener),
    )
    return Part(graphs, (exchanged(listener, CHOICE), exchange_heard(listener, CHOICE)), _golden_trials(listener, clip))


def _rule(network: Tagger, listener: Listener) -> tuple[tuple[Graph, ...], Ensemble]:
    rule = derived_rule_graph(listener.model(RULE), LogOdds(network), torch.zeros(2, *listener.picture))
    return (asked_label_graph(listener), rule), explain(RULE, rule, listener=listener, inverts=False)


def _predict(listener: Listener) -> Ensemble:
    """One excerpt's answer."""
    return Ensemble(
        listener.model("predict"),
        (listener.sound("samples"),),
        listener.probabilities("probability"),
        (hears(listener, standardised="standardised"), answers(listener, "standardised", "probability")),
    )


def _with_entry(part: Part, labels: Sequence[str], exchange: dict[str, Any] | None, further: TaggerRules) -> Part:
    rules = further.beside(RULE, TAGGER_ALPHA)
    entry = {
        "name": NAME,
        "suffix": f"_{NAME}",
        "network": "tagger",
        "frontend": "tagger_frontend",
        "decision": "multi-class",
        "labels": label_names(labels),
        "rules": rules,
        "default_rule": next(iter(rules)),
        "predict_hop_frames": PREDICT_HOP_FRAMES,
        **({"exchange": exchange} if exchange else {}),
        **part.entries,
    }
    return replace(part, entries={"listeners": [DETECTOR_ENTRY, entry]})


def _number(*values: int) -> Tensor:
    return torch.tensor([[value] for value in values], dtype=torch.int32)


def _golden_question(clip: Tensor) -> dict[str, Tensor]:
    return {
        "samples": clip,
        "alpha": torch.zeros(1, 1),
        "maximum_area": torch.full((1, 1), GOLDEN_AREA),
        "masking": _number(1),
        "control_seed": _number(7),
        "label": _number(PREDICTED),
        "contrast": _number(NO_CONTRAST),
    }


def _golden_region(clip: Tensor, listener: Listener) -> dict[str, Tensor]:
    return {"samples": clip, "mask": _checks(listener), "outside_gain": torch.full((1, 1), 0.1)}


def _golden_trials(listener: Listener, clip: Tensor) -> dict[str, dict[str, Tensor]]:
    """Every trial of a checked region, and the first as sound."""
    golden = {}
    for model, trials in (("exchanged", len(TRIALS)), ("exchange_heard", 1)):
        row = torch.arange(trials, dtype=torch.int32).unsqueeze(1)
        rows = {"label": row % listener.answers, "contrast": row % 2 - 1, "trial": row, "draw": row + 1}
        inputs = {"log_mel": _stripes(listener, trials), "region": _checks(listener, trials)}
        sound = {"samples": clip} if model == "exchange_heard" else {}
        golden[listener.model(model)] = {**sound, **inputs, **rows, "control_seed": 7 * row + 1}
    return golden


def _checks(listener: Listener, rows: int = 1) -> Tensor:
    """Half the excerpt, in checks of some frames and bands."""
    frames, bands = (torch.arange(size) // 16 for size in listener.picture)
    return ((frames[:, None] + bands) % 2).float().expand(rows, -1, -1)


def _stripes(listener: Listener, rows: int) -> Tensor:
    """Pictures that pack well, so that golden vectors stay small: the louder the lower, and the later."""
    frames, bands = (torch.arange(size) // 16 for size in listener.picture)
    return (-2.0 - 0.25 * bands + 0.125 * frames[:, None]).expand(rows, -1, -1)

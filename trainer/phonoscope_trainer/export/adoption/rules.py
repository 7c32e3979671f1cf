"""The rules that an adopted network can have, and why it has not the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx
import torch
from torch import Tensor

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.adopted import LogOdds, adopted_network_graph, composed, label_masker_graph
from phonoscope_trainer.graphs.derived_gradient import derived_rule_graph
from phonoscope_trainer.graphs.description import Graph
from phonoscope_trainer.graphs.layer_inversion import INVERSION, inversion_rule_graph
from phonoscope_trainer.graphs.occlusion import OcclusionOptions
from phonoscope_trainer.networks.label_masker import LabelMasker
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.recipes.label_masker.training import new_masker
from phonoscope_trainer.recipes.layer_inversion.training import LayerInversions
from phonoscope_trainer.repository.models import exported
from phonoscope_trainer.repository.occlusion import occlusion_graph


@dataclass(frozen=True, slots=True)
class Rules:
    """Graphs by rule, the default first, and for each that there is not, why."""

    graphs: Mapping[str, Graph]
    missing: Mapping[str, str] = field(default_factory=dict)


def rules_of(
    trained: Listener,
    masker: LabelMasker | None,
    baseline: Tensor,
    fillings: Tensor,
    occlusion: OcclusionOptions,
    *,
    network: onnx.ModelProto | None = None,
    why_no_gradient: str = "",
    inversions: LayerInversions | None = None,
) -> Rules:
    """Every rule that can be made.

    Args:
        trained: the listener.
        masker: where one was trained.
        baseline: `[M]` what says nothing: each band's mean over music.
        fillings: `[H, T, M]` other music, as the network is given it.
        occlusion: how much the black-box rule tries.
        network: the contract's network; exported of the listener's unless given.
        why_no_gradient: why the listener's network cannot be differentiated; empty where it can.
        inversions: inverters of its layers, where they were trained.
    """
    graphs, missing, listener = dict[str, Graph](), dict[str, str](), composed(trained)
    if masker is None:
        missing["masker"] = "none was trained"
    else:
        graphs["masker"] = label_masker_graph(masker, trained, new_masker(trained)[0], listener)
    if why_no_gradient:
        missing["gradient"] = why_no_gradient
    else:
        try:
            example = torch.zeros(2, *trained.picture)
            graphs["gradient"] = derived_rule_graph("gradient", LogOdds(trained), example, baseline)
        except ExportError as error:
            missing["gradient"] = str(error)
    model = network or exported(adopted_network_graph(trained, listener))
    graphs["occlusion"] = occlusion_graph(
        "occlusion", model, trained.picture, fillings, occlusion, answers=trained.answers
    )
    if inversions is None:
        missing[INVERSION] = "no inverters were trained"
    else:
        deepest = list(inversions.inverters)[-1]
        graphs[INVERSION] = inversion_rule_graph(deepest, inversions.inverters[deepest], listener)
    return Rules(graphs, missing)
